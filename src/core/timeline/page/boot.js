// SPDX-License-Identifier: GPL-2.0-only
// Starts the page's script, which the page holds deflated. The Content-Security-Policy allows this
// script and that one by their hashes, and no other.
const boot = async () => {
  const bytes = Uint8Array.from(atob(document.getElementById('code').textContent), (c) => c.charCodeAt(0));
  const code = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const script = document.createElement('script');
  script.type = 'module';
  script.textContent = await new Response(code).text();
  document.body.append(script);
};
boot();
