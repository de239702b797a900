/**
 * Addresses of databases, in parts and written anew. PostgreSQL lets most parts stand in two places, before the path and behind the `?`,
 * where the latter wins: an address that is changed as text, or by `URL`, may go on opening the database as somebody else. So the
 * driver's own parser reads it, and what is written has each part once.
 */
import { parse } from "pg-connection-string";
import { processErrors } from "../error-table.ts";

interface AddressParts {
  /** Null where the driver takes it from its environment. */
  readonly user: string | null;
  readonly password: string | null;
  /** Name, IP address, or folder of a socket. */
  readonly host: string;
  /** Null: the driver's default. */
  readonly port: number | null;
  readonly database: string;
  /** Parameters behind the `?` that are the same for every role. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** Parameters that are parts of the address. */
const PARTS = new Set(["user", "password", "host", "port"]);
/** Parameters about the connection to the server, whoever connects. None holds a secret or names a role. */
const OF_SERVER = new Set([
  "application_name",
  "channel_binding",
  "connect_timeout",
  "ssl",
  "sslmode",
  "sslnegotiation",
  "sslrootcert",
  "target_session_attrs",
  "uselibpqcompat",
]);

/**
 * Reads an address as the driver does. Opens no file and asks no server.
 * @throws SRV_CONFIG_INVALID for an address without host or database, which the driver would take from its environment or from the
 * user's name, and for a parameter that may hold a secret or a role of whom the address is for
 */
export function readAddress(url: string): AddressParts {
  if (!/^postgres(ql)?:\/\/[^\s#]+$/.test(url))
    throw refused("is no postgres:// address, or has a blank or #");
  if (/%(?![0-9a-f]{2})/i.test(url)) throw refused("has a % before no hex digits: write it as %25");
  const [address = "", ...behind] = url.split("?");
  const parameters = [...new Map(new URLSearchParams(behind.join("?")))];
  for (const [name] of parameters)
    if (!PARTS.has(name) && !OF_SERVER.has(name))
      throw refused(`has ${shown(name)} behind its ?, which may hold a secret or a role: leave it out`);
  const inAddress = new URLSearchParams(parameters.filter(([name]) => PARTS.has(name)));
  const { database, host, password, port, user } = parsed(`${address}?${inAddress}`);
  if (!host || host.includes(",")) throw refused("does not name one host");
  if (!/^\d{0,5}$/.test(port ?? "")) throw refused("has a port that is no number");
  // The driver and PostgreSQL's own programs read an encoded sign here differently.
  if (!database || /[%/]/.test(database)) throw refused("names no database, or one with % or /");
  return {
    user: user || null,
    password: password || null,
    host,
    port: port ? Number(port) : null,
    database,
    parameters: parameters.filter(([name]) => OF_SERVER.has(name)),
  };
}

/** Attack: behind a ? that is not encoded stands the rest of a password. */
const shown = (name: string) => (/^[a-z_]{1,40}$/.test(name) ? `"${name}"` : "something");

function parsed(url: string) {
  try {
    return parse(url);
  } catch {
    // The parser's own words may quote the address.
    throw refused("cannot be read");
  }
}

function writeAddress({ database, host, parameters, password, port, user }: AddressParts): string {
  const part = encodeURIComponent;
  const secret = password === null ? "" : `:${part(password)}`;
  const who = user === null ? "" : `${part(user)}${secret}@`;
  const at = host.includes(":") ? `[${host}]` : part(host);
  const query = parameters.map(([name, value]) => `${name}=${part(value)}`).join("&");
  return `postgres://${who}${at}${port === null ? "" : `:${port}`}/${part(database)}${query === "" ? "" : `?${query}`}`;
}

/** The same database's address for another role: nothing of the role that it was for is left. @throws as `readAddress` */
export const addressFor = (url: string, user: string, password: string): string =>
  writeAddress({ ...readAddress(url), user, password: password || null });

const refused = (problem: string) =>
  processErrors.raise("SRV_CONFIG_INVALID", `the database's address ${problem}`, {
    data: { problems: [{ env: "OPENLEDGER_DATABASE_URL", problem }] },
  });
