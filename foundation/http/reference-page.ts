/**
 * An API's routes as a page without scripts, at /docs. It is on the origin of whatever pages the server has, where wallets
 * have given permissions: a browsable page of third-party scripts there would void the pages' own policy.
 */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifySchema } from "fastify";
import { ANSWER_HEADERS } from "./create-server.ts";

interface Described {
  readonly summary?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: object;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: object }>> };
}

interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code,pre{font:14px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.5rem 1rem;border-left:3px solid}summary{cursor:pointer;padding:.25rem 0}";
const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

const PAGE_POLICY = ANSWER_HEADERS["content-security-policy"]!.replace(
  "default-src 'none'",
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'`,
);

/** Registers the page, which shows the description of @fastify/swagger. */
export function registerReference(app: FastifyInstance): void {
  let page: string | null = null;
  const hidden = { schema: { hide: true } as FastifySchema };
  app.get("/openapi.json", hidden, () => app.swagger());
  app.get("/docs", hidden, (_request, reply) => {
    page ??= referencePage(app.swagger() as unknown as OpenApi);
    reply.type("text/html; charset=utf-8").header("content-security-policy", PAGE_POLICY);
    return reply.serializer((text: string) => text).send(page);
  });
}

function referencePage({ info, paths = {} }: OpenApi): string {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => routeText(method, path, described)),
  );
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escaped(info.title)}</title><style>${STYLE}</style><h1>${escaped(info.title)}</h1>`,
    `<p>${escaped(info.description ?? "")}</p><p>For programs: <a href="openapi.json">openapi.json</a></p>`,
    ...routes,
    "</html>",
  ].join("\n");
}

function routeText(
  method: string,
  path: string,
  { parameters = [], requestBody, summary = "" }: Described,
): string {
  const title = `<code><b>${method.toUpperCase()}</b> ${escaped(path)}</code> ${escaped(summary)}`;
  const fields = parameters.map(
    ({ in: address, name, required, schema }) =>
      `<li><code>${escaped(name)}</code> (${address}${required === true ? "" : ", optional"}) <code>${escaped(JSON.stringify(schema ?? {}))}</code>`,
  );
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) =>
      `<p>${escaped(type)}</p><pre>${escaped(JSON.stringify(schema ?? {}, null, 2))}</pre>`,
  );
  if (fields.length + bodies.length === 0) return `<p>${title}</p>`;
  return `<details><summary>${title}</summary><ul>${fields.join("")}</ul>${bodies.join("")}</details>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string) => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!);
