/** Options of commands that serve something over HTTP (docs/reverse-proxy.md). */

import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import type { TrustedProxies } from "@openledger/foundation/http/trusted-proxies";
import type { Command } from "commander";
import { commandError } from "./cli-errors.ts";

export interface ServerOptionTexts {
  readonly proxies: string;
  readonly publicUrl: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .option("--proxies <addresses>", SERVER_SETTINGS.proxies.description, "")
    .option("--public-url <url>", SERVER_SETTINGS.publicUrl.description, "");
}

/** @throws CMD_USAGE */
export function serverLimitsOf(options: ServerOptionTexts): { proxies: TrustedProxies; publicUrl: string } {
  const proxies = SERVER_SETTINGS.proxies.schema.safeParse(options.proxies);
  if (!proxies.success) throw commandError("CMD_USAGE", `--proxies ${proxies.error.issues[0]!.message}`);
  const publicUrl = SERVER_SETTINGS.publicUrl.schema.safeParse(options.publicUrl);
  if (!publicUrl.success) throw commandError("CMD_USAGE", "--public-url is not an http(s) URL");
  return { proxies: proxies.data, publicUrl: publicUrl.data };
}
