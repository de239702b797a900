/** The built pages at `/`, with headers that let them do what they need and nothing else. */
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifySchema } from "fastify";

/** Pages as they were built elsewhere, and what they are told. */
export interface ServedPages {
  /** Folder with index.html. */
  readonly path: string;
  /** An Ethereum node that the pages may ask besides the reader's wallet; null for none. */
  readonly l1Url: string | null;
  /** Answer servers that they ask questions, and which rows an answer paid. */
  readonly answerServers?: readonly string[];
  /** Hosts of Datanets that they work with. */
  readonly datanetHosts?: readonly string[];
  /** Where they tune models; null for nowhere but in themselves. */
  readonly factoryUrl?: string | null;
  /** Of the software that the operator runs. */
  readonly sourceUrl?: string | null;
  /** The contracts that OPEN votes with, and the block from which proposals are looked for. */
  readonly governance?: ServedGovernance | null;
}

interface ServedGovernance {
  readonly governor: string;
  readonly registry: string;
  readonly fromBlock: number;
}

/** Of a deployment's record. */
export function servedGovernance(deployment: {
  readonly deployedAtBlock: number;
  readonly governance?: { readonly governor: string; readonly registry: string } | undefined;
}): ServedGovernance | null {
  const { deployedAtBlock: fromBlock, governance } = deployment;
  if (governance === undefined) return null;
  return { governor: governance.governor, registry: governance.registry, fromBlock };
}

/** A file whose name holds its hash never changes. */
const YEAR_SECONDS = 31_536_000;

/**
 * Scripts, styles and pictures come from here alone, and none is in the markup; WebAssembly is compiled, text is not
 * evaluated. Requests go here, to the one Ethereum node, to the answer servers, the hosts and the factory. Nobody may frame
 * the page.
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
    // No text becomes a script, no matter who writes it: not in markup, not as an address. The pages' one policy lets their own
    // workers start (web/no-eval.ts).
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
    // The files as they are: what is unknown gets the API's own answer.
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
    // Where the build has left a packed form beside a file, that is what is sent to who takes it.
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
  app.get("/pages.json", { schema: { hide: true } as FastifySchema }, () => ({
    l1Url: pages.l1Url,
    answerServers: pages.answerServers ?? [],
    datanetHosts: pages.datanetHosts ?? [],
    factoryUrl: pages.factoryUrl ?? null,
    sourceUrl: pages.sourceUrl ?? null,
    governance: pages.governance ?? null,
  }));
}
