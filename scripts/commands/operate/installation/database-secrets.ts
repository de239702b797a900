/** Addresses of the database that `operator init --cluster` writes: the owner's, and one with a role of its own for each service. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { addressFor, readAddress } from "@openledger/foundation/database/address";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { operatorError } from "../../../cli/operator-errors.ts";
import { DATABASE_SERVICES, type DatabaseService, type installationPaths } from "./installation.ts";

type Paths = ReturnType<typeof installationPaths>["database"];

/** Host of the service `database` of compose.yaml, and its address without user and password. */
const OWN_HOST = "database";
const OWN_SERVER = `postgres://${OWN_HOST}:5432/openledger`;
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
  const ownerUrl = readOwnerUrl(paths, ownerUrlFile) ?? addressFor(OWN_SERVER, OWNER, password);
  const { database, host } = readAddress(ownerUrl);
  const roles = DATABASE_SERVICES.map((service): [string, string] => {
    const path = paths.urlOf(service);
    // Roles are the server's, so they have the database's name in theirs.
    const role = `${database}_${service.replaceAll("-", "_")}`;
    return [path, addressFor(ownerUrl, role, passwordAt(path, service))];
  });
  return {
    files: [[paths.password, password], [paths.ownerUrl, ownerUrl], ...roles],
    profile: host === OWN_HOST ? "cluster" : "managed",
  };
}

function readOwnerUrl(paths: Paths, file: string | null): string | null {
  const path = file ?? paths.ownerUrl;
  if (file === null && !existsSync(path)) return null;
  const url = readSecretFile(path);
  const refused = (problem: string) =>
    operatorError("CMD_INIT_REFUSED", `${path} holds no address for the services: ${problem}`, {
      data: { reason: "database-url-invalid", path },
    });
  try {
    // The names of roles begin with the database's.
    if (/^[a-z][a-z0-9_]{0,40}$/.test(readAddress(url).database)) return url;
  } catch (error) {
    if (!isRollupError(error, "SRV_CONFIG_INVALID")) throw error;
    throw refused(error.message);
  }
  throw refused("the database's name takes small letters, digits and _");
}

const newPassword = () => randomBytes(24).toString("base64url");

/**
 * The password of a service's role; a new one where the file has another role's, as earlier versions wrote it for some addresses, or
 * none that is still taken.
 */
function passwordAt(path: string, service: DatabaseService): string {
  if (!existsSync(path)) return newPassword();
  try {
    const { password, user } = readAddress(readSecretFile(path));
    const isOwn = user?.endsWith(`_${service.replaceAll("-", "_")}`) === true;
    return isOwn && password !== null ? password : newPassword();
  } catch (error) {
    if (isRollupError(error, "SRV_CONFIG_INVALID")) return newPassword();
    throw error;
  }
}
