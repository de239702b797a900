/** Options of commands that serve something over HTTP (docs/how-to/reverse-proxy.md). */
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import type { TrustedProxies } from "@openledger/foundation/http/trusted-proxies";
import { commandError } from "./cli-errors.ts";
import { defineOptions, type OptionsOf } from "./options.ts";

export const SERVER_OPTIONS = defineOptions({
  "--proxies <addresses>": { about: SERVER_SETTINGS.proxies.description, fallback: "" },
  "--public-url <url>": { about: SERVER_SETTINGS.publicUrl.description, fallback: "" },
});

export type ServerOptionTexts = OptionsOf<typeof SERVER_OPTIONS>;

/** @throws CMD_USAGE */
export function serverLimitsOf(options: ServerOptionTexts): { proxies: TrustedProxies; publicUrl: string } {
  const proxies = SERVER_SETTINGS.proxies.schema.safeParse(options.proxies);
  if (!proxies.success) throw commandError("CMD_USAGE", `--proxies ${proxies.error.issues[0]!.message}`);
  const publicUrl = SERVER_SETTINGS.publicUrl.schema.safeParse(options.publicUrl);
  if (!publicUrl.success) throw commandError("CMD_USAGE", "--public-url is not an http(s) URL");
  return { proxies: proxies.data, publicUrl: publicUrl.data };
}
