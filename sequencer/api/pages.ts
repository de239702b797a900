/** Route of the built pages at `/`, with a Content-Security-Policy that permits only what they need. */
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifySchema } from "fastify";

/** Pages built elsewhere, and their settings. */
export interface ServedPages {
  /** Folder with index.html. */
  readonly path: string;
  /** Ethereum node that the pages may use besides the reader's wallet; null for none. */
  readonly l1Url: string | null;
  /** URLs of answer servers that the pages ask questions, and which rows an answer paid. */
  readonly answerServers?: readonly string[];
  /** URLs of the Datanet hosts that the pages work with. */
  readonly datanetHosts?: readonly string[];
  /** URL of the factory that tunes models for the pages; null: the pages tune in the browser only. */
  readonly factoryUrl?: string | null;
  /** URL of the source code of the software that the operator runs. */
  readonly sourceUrl?: string | null;
  /** Contracts that OPEN votes with, and the first block searched for proposals. */
  readonly governance?: ServedGovernance | null;
}

interface ServedGovernance {
  readonly governor: string;
  readonly registry: string;
  readonly fromBlock: number;
}

/** Reads the governance contracts from a deployment record; null where it has none. */
export function servedGovernance(deployment: {
  readonly deployedAtBlock: number;
  readonly governance?: { readonly governor: string; readonly registry: string } | undefined;
}): ServedGovernance | null {
  const { deployedAtBlock: fromBlock, governance } = deployment;
  if (governance === undefined) return null;
  return { governor: governance.governor, registry: governance.registry, fromBlock };
}

/** Page for a browser at an address that nothing has: the addresses of pages are behind a "#". It shows nothing of the address. */
const NOT_FOUND = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Page not found · OpenLedger</title>
<h1>Page not found</h1>
<p>The pages are behind <code>/#/</code>, as <code>/#/bridge</code> and <code>/#/batches</code> are.
<a href="/">Go to the first page</a>.</p>
</html>
`;
/** Routes of programs: a browser that opens an unknown one gets what a program gets. */
const IS_API = /^\/(?:v1|docs|openapi\.json|metrics)(?:[/?]|$)/;

/** A file whose name holds its hash never changes. */
const YEAR_SECONDS = 31_536_000;

/**
 * Content-Security-Policy of the pages. Scripts, styles and pictures come from this origin alone, and the markup has
 * none inline. WebAssembly is compiled, text is not evaluated. Requests go to this origin, the one Ethereum node, the
 * answer servers, the hosts and the factory. Nobody may frame the page.
 */
function contentSecurityPolicy(pages: ServedPages): string {
  const { answerServers = [], datanetHosts = [], factoryUrl = null, l1Url } = pages;
  const urls = [l1Url, ...answerServers, ...datanetHosts, factoryUrl].filter((url) => url !== null);
  const others = urls.map((url) => new URL(url).origin);
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "worker-src 'self'",
    ["connect-src 'self'", ...new Set(others)].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text becomes a script, whoever wrote it: neither as markup nor as an address. The pages' only policy lets their
    // own workers start (web/no-eval.ts).
    "require-trusted-types-for 'script'",
    "trusted-types default",
  ].join("; ");
}

export async function registerPages(app: FastifyInstance, pages: ServedPages): Promise<void> {
  const headers: Readonly<Record<string, string>> = {
    "content-security-policy": contentSecurityPolicy(pages),
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    // Alone in its process, so that the prover may share memory between its threads.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "x-frame-options": "DENY",
  };
  await app.register(fastifyStatic, {
    root: pages.path,
    // Only existing files are served: an unknown path gets the API's own answer.
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
    // A packed form that the build left beside a file is sent to clients that accept it.
    preCompressed: true,
    setHeaders: (reply, path) => {
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      const isNamedByHash = path.startsWith(`${pages.path}/assets/`);
      reply.header(
        "cache-control",
        isNamedByHash ? `public, max-age=${YEAR_SECONDS}, immutable` : "no-cache",
      );
    },
  });
  app.get("/*", { schema: { hide: true } as FastifySchema }, ({ headers: { accept = "" }, url }, reply) => {
    if (IS_API.test(url) || !accept.includes("text/html")) return reply.callNotFound();
    return reply.code(404).type("text/html; charset=utf-8").send(NOT_FOUND);
  });
  app.get("/pages.json", { schema: { hide: true } as FastifySchema }, () => ({
    l1Url: pages.l1Url,
    answerServers: pages.answerServers ?? [],
    datanetHosts: pages.datanetHosts ?? [],
    factoryUrl: pages.factoryUrl ?? null,
    sourceUrl: pages.sourceUrl ?? null,
    governance: pages.governance ?? null,
  }));
}
