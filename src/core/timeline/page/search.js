// SPDX-License-Identifier: GPL-2.0-only
// Finds processes by command line, name or pid. It compares bytes, because most command lines are never
// decoded. ASCII letters match regardless of case.

const utf8 = new TextEncoder();
const mostWords = 30; // bits of an integer

const lower = (byte) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;

// True if `text` contains `word`, which is in lower case. A NUL ends an argument and matches a space.
function contains(text, word) {
  const last = text.length - word.length;
  const first = word[0];
  search: for (let at = 0; at <= last; at++) {
    if (lower(text[at]) !== first && !(first === 0x20 && text[at] === 0)) {
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      const byte = text[at + i];
      if (lower(byte) !== word[i] && !(byte === 0 && word[i] === 0x20)) {
        continue search;
      }
    }
    return true;
  }
  return false;
}

// Words of a query. Quotes keep spaces: `"-o main"`.
export function queryWords(query) {
  return Array.from(query.matchAll(/"([^"]+)"?|[^\s"]+/g), ([all, quoted]) => quoted ?? all).slice(0, mostWords);
}

// The processes that have all words, in the order of their starts.
export function findProcesses(recording, query) {
  const words = queryWords(query);
  const bytes = words.map((word) => utf8.encode(word).map(lower));
  const found = new Map(); // bits of the words that a text has
  const bitsOf = (textId) => {
    if (textId < 0) {
      return 0;
    }
    let bits = found.get(textId);
    if (bits === undefined) {
      const text = recording.textBytes(textId);
      bits = bytes.reduce((sum, word, i) => contains(text, word) ? sum | 1 << i : sum, 0);
      found.set(textId, bits);
    }
    return bits;
  };
  const all = words.reduce((sum, _, i) => sum | 1 << i, 0);
  const { comm, pid } = recording.processes;
  return recording.byStart.filter((process) => {
    let bits = bitsOf(comm[process]);
    words.forEach((word, i) => { bits |= word === String(pid[process]) ? 1 << i : 0; });
    for (let exec = recording.firstExec[process]; exec < recording.firstExec[process + 1] && bits !== all; exec++) {
      bits |= bitsOf(recording.execs.args[exec]) | bitsOf(recording.execs.filename[exec]);
    }
    return bits === all;
  });
}
