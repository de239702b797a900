/** The folder that `operator init` writes: secrets, the deployment record, and one file with the settings of all processes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const installationPaths = (folder: string) => ({
  deployment: join(folder, "deployment.json"),
  endpoints: join(folder, "endpoints.json"),
  settings: join(folder, "settings.env"),
  secrets: join(folder, "secrets"),
  operatorKey: join(folder, "secrets", "operator-key"),
  operatorToken: join(folder, "secrets", "operator-token"),
  /** Token by which the sequencer knows the operator's own hosts, model servers and factory. */
  serverToken: join(folder, "secrets", "server-token"),
  database: databasePaths(join(folder, "secrets", "database")),
});

/** Services of compose.yaml that have a role of their own in the database. */
export const DATABASE_SERVICES = [
  "sequencer",
  "prover",
  "datanet-host",
  "models",
  "factory",
  "factory-worker",
] as const;
export type DatabaseService = (typeof DATABASE_SERVICES)[number];

/** Folder with the addresses of the database, which have passwords in them. */
export const databasePaths = (folder: string) => ({
  folder,
  /** Password of the server that compose.yaml starts. */
  password: join(folder, "password"),
  /** Address of the role that owns the tables. */
  ownerUrl: join(folder, "owner-url"),
  urlOf: (service: DatabaseService) => join(folder, `${service}-url`),
});

/** Variables of an env file, as systemd and compose read them: NAME=value, no quotes. */
export function readEnvFile(path: string): Record<string, string> {
  const lines = readFileSync(path, "utf8").split("\n");
  const pairs = lines.flatMap((line) => {
    const at = line.indexOf("=");
    return line.startsWith("#") || at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return Object.fromEntries(pairs);
}
