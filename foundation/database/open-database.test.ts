/** Tests of whose database a process opens where its settings name none. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { Secret } from "../secret.ts";
import { readSettings } from "../settings.ts";
import { DATABASE_SETTINGS, databaseAddress } from "./open-database.ts";

const logger = createLogger("test", "silent");
const FOREIGN = "postgres://shop:secret@database.example/shop";
const OWN = "postgres://openledger@database.example/openledger";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-foreign-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(["DATANET", "SERVING", "FACTORY", "PROVER", "WATCH"])(
  "%s never opens the database of another project, whose shell it was started in",
  async (prefix) => {
    const shell = { DATABASE_URL: FOREIGN };
    const { values } = readSettings(prefix, DATABASE_SETTINGS, shell);
    expect(values.databaseUrl).toBeUndefined();
    const databasePath = join(folder, "database");
    const refused = await databaseAddress({ ...values, databasePath }, logger, shell).catch((error) => error);
    expect(refused).toMatchObject({
      code: "SRV_CONFIG_INVALID",
      data: { problems: [{ env: "DATABASE_URL" }] },
    });
    expect(String(refused)).toContain("OPENLEDGER_DATABASE_URL");
    expect(String(refused)).not.toContain("secret");
    expect(existsSync(databasePath)).toBe(false);
    // The process's own setting.
    const own = readSettings(prefix, DATABASE_SETTINGS, { ...shell, [`${prefix}_DATABASE_URL`]: OWN }).values;
    const { url } = await databaseAddress({ ...own, databasePath }, logger, shell);
    expect([own.databaseUrl, url]).toEqual([new Secret(OWN), OWN]);
  },
);
