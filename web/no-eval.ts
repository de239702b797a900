/**
 * Keeps the page within its Content-Security-Policy: zod makes no code of text, and scripts come from the page's own
 * folders. Imported first: it shares a chunk with zod (build-pages.ts), for which every user of zod waits.
 */
import { z } from "zod";

// zod tries whether it may make code of text.
z.config({ jitless: true });

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string | null }): unknown;
}

// Trusted Types ask for every address of a script: a worker's own is one below this page. Markup and code of text have no
// rule here, so they are refused.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
trustedTypes?.createPolicy("default", {
  createScriptURL: (url) => (isOwnScript(new URL(url, location.href).href) ? url : null),
});

function isOwnScript(url: string): boolean {
  // A worker has no document; it is in assets/ itself.
  const root = typeof document === "undefined" ? new URL("..", location.href) : document.baseURI;
  return ["./assets/", "./exit/"].some((folder) => url.startsWith(new URL(folder, root).href));
}
