// SPDX-License-Identifier: GPL-2.0-only
// Bytes of traced processes as text: decoded without loss, escaped for display, quoted for a shell.
// A byte that is not UTF-8 becomes a lone surrogate, U+DC00 + byte, which valid text cannot have.

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

const firstRawByte = 0xdc80;
const lastRawByte = 0xdcff;

// Length of the valid sequence that begins at `at`, 0 if there is none.
function sequenceLength(bytes, at) {
  const lead = bytes[at];
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  try {
    strictUtf8.decode(bytes.subarray(at, at + length));
    return at + length <= bytes.length ? length : 0;
  } catch {
    return 0;
  }
}

export function decodeBytes(bytes) {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    let text = '';
    for (let at = 0; at < bytes.length;) {
      const length = sequenceLength(bytes, at);
      text += length > 0 ? strictUtf8.decode(bytes.subarray(at, at + length))
                         : String.fromCharCode(0xdc00 + bytes[at]);
      at += Math.max(length, 1);
    }
    return text;
  }
}

// argv: a NUL ends each argument.
export function decodeArguments(bytes) {
  const args = decodeBytes(bytes).split('\0');
  if (args.at(-1) === '') {
    args.pop();
  }
  return args;
}

// Characters that hide, reorder or break a line, or look like a space.
const unsafe =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800\ufff0-\ufff8]/gu;
const isUnsafe = new RegExp(unsafe.source, 'u');

const hex = (value, digits) => value.toString(16).padStart(digits, '0');
const named = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

function escapeCharacter(character) {
  const code = character.codePointAt(0);
  if (code >= firstRawByte && code <= lastRawByte) {
    return '\\x' + hex(code - 0xdc00, 2);
  }
  if (code < 0x80) {
    return named[character] ?? '\\x' + hex(code, 2);
  }
  return code < 0x10000 ? '\\u' + hex(code, 4) : '\\U' + hex(code, 8);
}

// Text that a page may show: what you see is what is there.
export function printable(text) {
  return text.replace(unsafe, escapeCharacter);
}

const keywords = new Set(
  ('case coproc do done elif else end esac fi for foreach function if in nocorrect repeat select then time ' +
   'until while').split(' '));

// Each unsafe character as its bytes, because \u depends on the locale of the shell.
function escapeForShell(character) {
  if (character === "'" || character === '\\') {
    return '\\' + character;
  }
  if (character === '!') {
    return '\\x21';
  }
  const code = character.codePointAt(0);
  if (code < 0x80 || (code >= firstRawByte && code <= lastRawByte)) {
    return escapeCharacter(character);
  }
  return Array.from(utf8.encode(character), (byte) => '\\x' + hex(byte, 2)).join('');
}

// A word that a POSIX shell reads as exactly these bytes.
export function shellQuote(word, isCommand = false) {
  if (isUnsafe.test(word)) {
    const special = new RegExp(`${unsafe.source}|['\\\\!]`, 'gu');
    return `$'${word.replace(special, escapeForShell)}'`;
  }
  const needsQuotes = !/^[\w%+,\-./:=@]+$/.test(word) ||
    (isCommand ? word.includes('=') || keywords.has(word) : word.startsWith('='));
  return needsQuotes ? `'${word.replaceAll("'", "'\\''")}'` : word;
}

export function shellCommand(args) {
  return args.map((word, place) => shellQuote(word, place === 0)).join(' ');
}

// The last part of a path.
export function baseName(path) {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
