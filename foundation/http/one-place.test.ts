/** Requires that every server of the product is made by create-server.ts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { listedFiles } from "../testing/listed-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  workspaces: string[];
};
/**
 * Imports that make a server outside foundation/http: node's own, fastify's, a WebSocket's, or a limit that
 * only it sets.
 */
const SERVER_IMPORT =
  /import (?!type )(?:[^;]*\bcreate(?:Secure)?Server\b[^;]*from "node:(?:http|https|http2)"|[^;]*from "@fastify\/rate-limit"|(?:fastify\b|\{[^}]*(?<!type )\bfastify\b)[^;]*from "fastify"|[^;]*\bWebSocketServer\b[^;]*from "ws")/;
/** Files of tests and drills that stand for another process and serve nobody else. */
const NO_PRODUCT = /(\.test\.ts|\.fixtures\.ts)$|\/testing\/|^e2e\/(world|scenarios)\//;

it("makes every server of the product in one place", () => {
  const files = listedFiles().filter(
    (path) =>
      workspaces.some((wing) => path.startsWith(`${wing}/`)) &&
      /\.tsx?$/.test(path) &&
      !NO_PRODUCT.test(path),
  );
  expect(files.length).toBeGreaterThan(500);
  const makers = files.filter((path) => SERVER_IMPORT.test(readFileSync(join(root, path), "utf8")));
  expect(makers).toEqual(["foundation/http/create-server.ts"]);
});

it.each([
  ['import { createServer } from "node:http";', true],
  ['import fastify, { type FastifyInstance } from "fastify";', true],
  ['import { WebSocketServer } from "ws";', true],
  ['import rateLimit from "@fastify/rate-limit";', true],
  ['import type { FastifyInstance } from "fastify";', false],
  ['import WebSocket from "ws";', false],
])("knows %s", (line, isMaker) => {
  expect(SERVER_IMPORT.test(line)).toBe(isMaker);
});
