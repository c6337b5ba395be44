// SPDX-License-Identifier: GPL-2.0-only
// Arguments that try to become a part of the page, to hide, or to end a word of a shell.
export const hostileWords = [
  '</script><img src=x onerror="window.hacked=1">',
  '<img src=x onerror=window.hacked=1>',
  '"><svg onload=window.hacked=1>',
  "'; touch hacked; '",
  '$(touch hacked)',
  '`touch hacked`',
  'javascript:window.hacked=1',
  '{{constructor.constructor("window.hacked=1")()}}',
  '<!--', '-->', ']]>', '&lt;b&gt;', '\\u003cscript\\u003e',
  'right\u202eto\u202cleft\u2066isolate\u2069',
  'zero\u200bwidth\ufeff\u00ad\u2028line\u2029paragraph',
  'tab\tnewline\ncarriage\r\x1b]0;title\x07\x1b[31m\u009b31m',
  '!history', 'a\\b', '~root', '*', '?', '#comment', '-n', '', ' ', 'é漢字😀', 'a=b', '\ud7ff',
  'x'.repeat(5000),
];
