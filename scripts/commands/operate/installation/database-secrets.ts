/** Addresses of the database that `operator init --cluster` writes: the owner's, and one with a role of its own for each service. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { addressOf, roleAt } from "@openledger/foundation/database/roles";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { operatorError } from "../operator-errors.ts";
import { DATABASE_SERVICES, type DatabaseService, type installationPaths } from "./installation.ts";

type Paths = ReturnType<typeof installationPaths>["database"];

/** Address of the service `database` of compose.yaml, without user and password. */
const OWN_SERVER = "postgres://database:5432/openledger";
const OWNER = "openledger";

/** Profile of compose.yaml: with its own server, or with another one. */
export type ClusterProfile = "cluster" | "managed";

export interface DatabaseSecrets {
  readonly files: readonly (readonly [path: string, text: string])[];
  readonly profile: ClusterProfile;
}

/**
 * Files of the database's secrets. Passwords of an earlier run stay, also where the server is another one.
 * @param ownerUrlFile file with the owner's address on a server of the operator's own; null: the server of compose.yaml, or the
 * one of an earlier run
 * @throws CIR_SECRET_FILE, CMD_INIT_REFUSED for a file without an address
 */
export function databaseSecrets(paths: Paths, ownerUrlFile: string | null): DatabaseSecrets {
  const password = existsSync(paths.password) ? readSecretFile(paths.password) : newPassword();
  const ownerUrl = readOwnerUrl(paths, ownerUrlFile) ?? addressOf(OWN_SERVER, OWNER, password);
  const roles = DATABASE_SERVICES.map((service): [string, string] => {
    const path = paths.urlOf(service);
    return [path, addressOf(ownerUrl, roleOf(ownerUrl, service), passwordAt(path))];
  });
  return {
    files: [[paths.password, password], [paths.ownerUrl, ownerUrl], ...roles],
    profile: new URL(ownerUrl).host === new URL(OWN_SERVER).host ? "cluster" : "managed",
  };
}

function readOwnerUrl(paths: Paths, file: string | null): string | null {
  const path = file ?? paths.ownerUrl;
  if (file === null && !existsSync(path)) return null;
  const url = readSecretFile(path);
  if (/^postgres(ql)?:\/\/[^\s/]+\/[a-z][a-z0-9_]{0,40}(\?\S*)?$/.test(url) && URL.canParse(url)) return url;
  throw operatorError(
    "CMD_INIT_REFUSED",
    `${path} does not hold postgres://USER:PASSWORD@HOST/DATABASE, with small letters, digits and _ in the database's name`,
    { data: { reason: "database-url-invalid", path } },
  );
}

/** Name of a service's role. Roles are the server's, so they have the database's name in theirs. */
const roleOf = (ownerUrl: string, service: DatabaseService) =>
  `${new URL(ownerUrl).pathname.slice(1)}_${service.replaceAll("-", "_")}`;

const newPassword = () => randomBytes(24).toString("base64url");

const passwordAt = (path: string): string =>
  existsSync(path) ? roleAt(readSecretFile(path)).password : newPassword();
