// SPDX-License-Identifier: GPL-2.0-only
// Wheel, pointer and keyboard.
import { barHeight } from './paint_lanes.js';

const clickDistance = 4; // pixels
const zoomPerPixel = 0.0022;
const catchDistance = 4; // of a bar that is too narrow for the pointer

// The process at a place: the bar below the pointer, or the nearest one.
export function processAt({ viewport, recording, lanes }, x, y) {
  const lane = viewport.lane(y);
  const inLane = y - viewport.y(lane) - 2;
  if (lane < 0 || lane >= lanes.count || inLane < -1 || inLane > barHeight(viewport) + 1) {
    return -1;
  }
  const { first, members } = lanes.all;
  const earliest = viewport.time(x - catchDistance);
  const latest = viewport.time(x + catchDistance);
  let [low, high] = [first[lane], first[lane + 1]];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (recording.stop[members[middle]] < earliest) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  let [best, bestDistance] = [-1, Infinity];
  for (let i = low; i < first[lane + 1] && recording.start[members[i]] <= latest; i++) {
    const process = members[i];
    const distance = Math.max(viewport.x(recording.start[process]) - x, x - viewport.x(recording.stop[process]), 0);
    if (distance < bestDistance) {
      [best, bestDistance] = [process, distance];
    }
  }
  return best;
}

// A line of a wheel that counts in lines, as pixels.
const linePixels = 16;

export function handleWheel(element, viewport) {
  element.addEventListener('wheel', (event) => {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : linePixels;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    const x = event.clientX - element.getBoundingClientRect().left;
    if (event.shiftKey && dx === 0) {
      viewport.pan(dy, 0);
    } else if (Math.abs(dx) > Math.abs(dy)) {
      viewport.pan(dx, 0);
    } else if (event.altKey) {
      viewport.pan(0, dy);
    } else {
      // A pinch has small steps.
      viewport.zoom(Math.exp(dy * zoomPerPixel * (event.ctrlKey ? 5 : 1)), x);
    }
  }, { passive: false });
}

// Drags: `begin(event)` returns what to do with each move, and with the end. Two pointers pinch.
export function handleDrag(element, viewport, begin) {
  const pointers = new Map();
  let drag = null;
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const pinchWidth = () => {
    const [a, b] = Array.from(pointers.values());
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) {
      return;
    }
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    drag = pointers.size === 1 ? { from: place(event), last: place(event), moved: false, ...begin(place(event)) } : null;
  });
  element.addEventListener('pointermove', (event) => {
    if (!pointers.has(event.pointerId)) {
      return;
    }
    const to = place(event);
    if (pointers.size === 2) {
      const before = pinchWidth();
      pointers.set(event.pointerId, to);
      viewport.zoom(before / Math.max(pinchWidth(), 1), to.x);
      return;
    }
    pointers.set(event.pointerId, to);
    if (drag && (drag.moved || Math.hypot(to.x - drag.from.x, to.y - drag.from.y) >= clickDistance)) {
      drag.moved = true;
      drag.move(to, drag.last, drag.from);
      drag.last = to;
    }
  });
  const finish = (event) => {
    if (pointers.delete(event.pointerId) && drag) {
      (drag.moved ? drag.end : drag.click)?.(place(event), drag.from);
      drag = null;
    }
  };
  element.addEventListener('pointerup', finish);
  element.addEventListener('pointercancel', finish);
}

// Keys by name. Those of text fields stay there, apart from Escape.
export function handleKeys(keys) {
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (document.querySelector('dialog[open]')) {
      return; // it closes by itself
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== 'Escape')) {
      return;
    }
    // Space and Enter press a button that has the focus.
    const action = keys[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
