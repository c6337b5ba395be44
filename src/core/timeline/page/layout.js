// SPDX-License-Identifier: GPL-2.0-only
// Lanes from the process tree. A process and its descendants are a block: the process on top, the blocks
// of its children below, each as high as it can be. A block ends with its last process, and its lanes
// are used again.

const laneGroup = 64;

// Until when each lane is taken. The first end of each group of lanes speeds up the search.
class Shelf {
  #ends = [];
  #groups = [];

  // The first lane with so many free ones from it on.
  place(time, height) {
    let lane = 0;
    let free = 0;
    while (free < height && lane + free < this.#ends.length) {
      const at = lane + free;
      if (free === 0 && at % laneGroup === 0 && this.#groups[at / laneGroup] > time) {
        lane += laneGroup;
      } else if (this.#ends[at] > time) {
        lane = at + 1;
        free = 0;
      } else {
        free++;
      }
    }
    return Math.min(lane, this.#ends.length);
  }

  take(lane, height, end) {
    for (let i = lane; i < lane + height; i++) {
      this.#ends[i] = end;
    }
    for (let group = Math.floor(lane / laneGroup); group * laneGroup < lane + height; group++) {
      let first = Infinity;
      for (let i = group * laneGroup; i < Math.min((group + 1) * laneGroup, this.#ends.length); i++) {
        first = Math.min(first, this.#ends[i]);
      }
      // A lane may still be added to the last group.
      this.#groups[group] = this.#ends.length >= (group + 1) * laneGroup ? first : -Infinity;
    }
  }

  get height() {
    return this.#ends.length;
  }
}

// Places blocks, in the order of their starts. Returns the height of all.
function placeBlocks(blocks, recording, blockEnd, blockHeight, offset) {
  if (blocks.length === 1) {
    // Long chains of single children need no shelf each.
    offset[blocks[0]] = 0;
    return blockHeight[blocks[0]];
  }
  const shelf = new Shelf();
  for (const process of blocks) {
    const lane = shelf.place(recording.start[process], blockHeight[process]);
    shelf.take(lane, blockHeight[process], blockEnd[process]);
    offset[process] = lane;
  }
  return shelf.height;
}

// Parents before their children.
function topDown(recording, roots) {
  const order = Array.from(roots);
  for (let i = 0; i < order.length; i++) {
    for (const child of recording.childrenOf(order[i])) {
      order.push(child);
    }
  }
  return order;
}

// Processes per lane, in the order of time.
export class Lanes {
  constructor(recording) {
    const roots = recording.byStart.filter((process) => recording.parent[process] < 0);
    const order = topDown(recording, roots);
    const offset = new Uint32Array(recording.count);
    const height = new Uint32Array(recording.count);
    const end = recording.stop.slice();
    for (const process of order.toReversed()) {
      const children = recording.childrenOf(process);
      height[process] = 1 + placeBlocks(children, recording, end, height, offset);
      for (const child of children) {
        end[process] = Math.max(end[process], end[child]);
      }
    }
    this.count = placeBlocks(roots, recording, end, height, offset);
    this.of = offset;
    for (const process of order) {
      const parent = recording.parent[process];
      this.of[process] += parent < 0 ? 0 : this.of[parent] + 1;
    }
    this.all = this.group(recording.byStart);
  }

  // Groups processes, which are in the order of their starts, by lane.
  group(processes) {
    const first = new Uint32Array(this.count + 1);
    for (const process of processes) {
      first[this.of[process] + 1]++;
    }
    for (let lane = 0; lane < this.count; lane++) {
      first[lane + 1] += first[lane];
    }
    const members = new Uint32Array(processes.length);
    const next = first.slice();
    for (const process of processes) {
      members[next[this.of[process]]++] = process;
    }
    return { first, members };
  }
}
