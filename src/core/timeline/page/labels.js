// SPDX-License-Identifier: GPL-2.0-only
// Short labels of commands: the words that tell a command from other runs of the same program, such as
// the source file instead of the flags.
import { baseName, printable } from './text.js';

const tellingWords = 3;
const sampled = 1000; // commands per program that are compared
const longest = 500; // characters

// The first characters, without half of a surrogate pair.
export function cut(text, length) {
  return text.slice(0, Math.max(length, 0)).replace(/[\ud800-\udbff]$/, '');
}

export class Labels {
  #recording;
  #execsOf = []; // a sample, by program
  #wordCounts = new Map(); // by program
  #labels = new Map(); // by exec

  constructor(recording) {
    this.#recording = recording;
    recording.execProgram.forEach((program, exec) => {
      const execs = this.#execsOf[program] ??= [];
      if (execs.length < sampled) {
        execs.push(exec);
      }
    });
  }

  // In how many of the program's commands each word occurs.
  #countsOf(program) {
    let counts = this.#wordCounts.get(program);
    if (!counts) {
      counts = new Map();
      for (const exec of this.#execsOf[program]) {
        for (const word of new Set(this.#recording.argsOf(exec))) {
          counts.set(word, (counts.get(word) ?? 0) + 1);
        }
      }
      this.#wordCounts.set(program, counts);
    }
    return counts;
  }

  #telling(program, words) {
    const counts = this.#countsOf(program);
    const rank = (place) => [
      counts.get(words[place]) ?? 0, words[place].startsWith('-') ? 1 : 0, words[place].length, -place,
    ];
    // A word of all commands tells nothing.
    const siblings = this.#execsOf[program].length;
    const places = Array.from(words.keys()).slice(1);
    const ranks = places.map(rank);
    places.sort((a, b) => {
      const [x, y] = [ranks[a - 1], ranks[b - 1]];
      const differing = x.findIndex((value, i) => value !== y[i]);
      return differing < 0 ? 0 : x[differing] - y[differing];
    });
    const telling = places.filter((place) => siblings === 1 || counts.get(words[place]) !== siblings);
    return telling.slice(0, tellingWords).sort((a, b) => a - b).map((place) => words[place]);
  }

  #make(exec) {
    const words = this.#recording.argsOf(exec);
    if (words.length === 0) {
      const path = this.#recording.text(this.#recording.execs.filename[exec]) ?? '?';
      return { short: printable(baseName(path)), whole: printable(path) };
    }
    const program = printable(baseName(words[0]));
    const whole = cut(printable([program, ...words.slice(1)].join(' ').slice(0, longest)), longest);
    const telling = words.length > tellingWords + 1
      ? this.#telling(this.#recording.execProgram[exec], words) : words.slice(1);
    return { short: cut(printable([program, ...telling].join(' ').slice(0, longest)), longest), whole };
  }

  // At most so many characters.
  fit(exec, columns) {
    let label = this.#labels.get(exec);
    if (!label) {
      label = this.#make(exec);
      this.#labels.set(exec, label);
    }
    const text = label.whole.length <= columns ? label.whole : label.short;
    return text.length <= columns ? text : `${cut(text, columns - 1)}…`;
  }
}
