/** Of the addresses that clients use: whether a reverse proxy passes what it should, and nothing else (docs/how-to/reverse-proxy.md). */
import { existsSync } from "node:fs";
import { request } from "node:http";
import { request as requestTls } from "node:https";
import {
  type Installation,
  type InstalledProcess,
  installationPaths,
  readEnvFile,
} from "../installation/installation.ts";
import { type Finding, looking } from "./finding.ts";

const TIMEOUT_MS = 5_000;
const REMEDY =
  "docs/how-to/reverse-proxy.md has a configuration for nginx and Caddy, and the settings that belong to it";
/** For this machine, and for the bridge and provers alone. */
const PRIVATE_PATHS = ["/metrics", "/operator/chain"];

interface PublicPlace {
  readonly publicUrl: string;
  /** Networks of trusted proxies, separated by spaces; empty: none. */
  readonly proxies: string;
}

export async function checkProxies(folder: string, { processes }: Installation): Promise<Finding[]> {
  const places = processes.map((one) => [one, publicPlaceOf(folder, one)] as const);
  const checks = places.flatMap(([one, place]) => (place === null ? [] : [checkProxy(one, place)]));
  return Promise.all(checks);
}

/** null: it has no public address. */
function publicPlaceOf(folder: string, { args, name }: InstalledProcess): PublicPlace | null {
  const path = installationPaths(folder).env(name);
  const settings = Object.entries(existsSync(path) ? readEnvFile(path) : {});
  const given = (ending: string, option: string) =>
    settings.find(([key]) => key.endsWith(ending))?.[1] ??
    args[args.indexOf(option) + 1 || args.length] ??
    "";
  const publicUrl = given("_PUBLIC_URL", "--public-url").replace(/\/+$/, "");
  return publicUrl === "" ? null : { publicUrl, proxies: given("_PROXIES", "--proxies") };
}

/** The first thing that is wrong with a process's public address. */
export function checkProxy(
  { healthPath, kind, name, port }: Pick<InstalledProcess, "healthPath" | "kind" | "name" | "port">,
  { proxies, publicUrl }: PublicPlace,
): Promise<Finding> {
  const ask = (url: string) =>
    fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: Error) => {
      throw new Error(`${url}: ${(error.cause as Error | undefined)?.message ?? error.message}`);
    });
  return looking("proxy", `${name} at ${publicUrl}`, REMEDY, async () => {
    const { hostname, protocol } = new URL(publicUrl);
    if (protocol !== "https:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname))
      return "clients reach it without TLS";
    if (proxies === "") return "no proxy is trusted: all clients share one rate limit";
    const path = kind === "sequencer" ? "/v1/info" : healthPath;
    const [outside, inside] = await Promise.all([
      ask(publicUrl + path),
      ask(`http://127.0.0.1:${port}${path}`),
    ]);
    if (outside.status !== inside.status)
      return `${path} answers ${outside.status} there, and ${inside.status} on port ${port}`;
    const rollupOf = async (answer: Response) =>
      ((await answer.json()) as { rollupAddress?: string }).rollupAddress;
    if (kind === "sequencer" && (await rollupOf(outside)) !== (await rollupOf(inside)))
      return "it serves another rollup";
    for (const closed of PRIVATE_PATHS) {
      const { status } = await ask(publicUrl + closed);
      if (status !== 404) return `the proxy passes ${closed}, which answers ${status}`;
    }
    if (kind !== "sequencer") return null;
    const status = await upgradeStatus(`${publicUrl}/v1/feed`);
    return status === 101 ? null : `the proxy does not pass WebSockets: /v1/feed answers ${status}`;
  });
}

/** What a request for a WebSocket is answered with. */
function upgradeStatus(url: string): Promise<number> {
  const headers = {
    ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
    "sec-websocket-key": Buffer.from("openledger doctor").subarray(0, 16).toString("base64"),
  };
  return new Promise((resolve, reject) => {
    const asked = (url.startsWith("https:") ? requestTls : request)(url, { headers, timeout: TIMEOUT_MS });
    asked.on("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode!);
    });
    asked.on("response", ({ statusCode }) => {
      asked.destroy();
      resolve(statusCode!);
    });
    asked.on("timeout", () => asked.destroy(new Error(`${url} does not answer`)));
    asked.on("error", reject);
    asked.end();
  });
}
