/** Tests of addresses that are handed to another role: as the driver itself reads them, nothing of the first role is left. */
import fc from "fast-check";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { runs } from "../testing/test-random.ts";
import { addressFor, readAddress } from "./address.ts";

/** The places that the driver connects to, and as whom. */
function seen(url: string) {
  const { database, host, password, port, user } = new Client({ connectionString: url });
  return { database, host, password, port, user };
}
const other = (url: string) => addressFor(url, "machine_7", "its own");

describe("an address for another role", () => {
  it.each([
    ["before the @", "postgres://owner:s3cr3t@db.example:5433/ledger", "db.example", 5433],
    ["behind the ?", "postgres://db.example:5433/ledger?user=owner&password=s3cr3t", "db.example", 5433],
    ["in both places", "postgres://a:b@db.example/ledger?user=owner&password=s3cr3t", "db.example", 5432],
    [
      "twice",
      "postgres://db.example/ledger?user=a&password=b&user=owner&password=s3cr3t",
      "db.example",
      5432,
    ],
    [
      "host and port behind the ?",
      "postgres://owner:s3cr3t@/ledger?host=db.example&port=5433",
      "db.example",
      5433,
    ],
    ["a socket behind the ?", "postgres:///ledger?host=%2Fvar%2Frun%2Fpg&user=owner", "/var/run/pg", 5432],
    ["a socket as the host", "postgresql://owner:s3cr3t@%2Fvar%2Frun%2Fpg/ledger", "/var/run/pg", 5432],
    ["a socket with a user in both", "postgres://a@%2Frun/ledger?user=owner&password=s3cr3t", "/run", 5432],
    ["IPv6", "postgres://owner:s3cr3t@[::1]:5433/ledger", "::1", 5433],
    ["signs in the password", "postgres://owner:s%40c%2Fr%3Fet@db.example/ledger", "db.example", 5432],
  ])("has nothing of the owner's: %s", (_where, url, host, port) => {
    const written = other(url);
    expect(seen(written)).toEqual({
      database: "ledger",
      host,
      password: "its own",
      port,
      user: "machine_7",
    });
    expect(written).not.toMatch(/owner|s3cr3t|s%40c/);
  });

  it("keeps what is the server's, and needs no file for it", () => {
    const tls = "sslmode=verify-full&sslrootcert=%2Fno%2Fsuch%2Fca%20file.pem";
    expect(other(`postgres://owner@db.example/ledger?${tls}&user=x`)).toBe(
      `postgres://machine_7:its%20own@db.example/ledger?${tls}`,
    );
  });

  it.each([
    ["a role by options", "postgres://db/ledger?options=-c%20role%3Downer"],
    ["a key", "postgres://db/ledger?sslkey=%2Fowner.key"],
    ["a certificate", "postgres://db/ledger?sslcert=%2Fowner.crt"],
    ["a key's password", "postgres://db/ledger?sslpassword=s3cr3t"],
    ["a file of passwords", "postgres://db/ledger?passfile=%2Fowner"],
    ["a service", "postgres://db/ledger?service=owner"],
    ["what is not known", "postgres://db/ledger?tomorrow=s3cr3t"],
    ["no database, which would be the user's name", "postgres://owner:s3cr3t@db/"],
    ["a database in the query alone", "postgres://db?dbname=ledger"],
    ["no host, which would be the environment's", "postgres://owner:s3cr3t@/ledger"],
    ["two hosts", "postgres://a,b/ledger"],
    ["a fragment", "postgres://owner:sec#ret@db/ledger"],
    ["a lone ?", "postgres://owner:?s3cr3t@db/ledger"],
    ["a lone %", "postgres://owner:50%off@db/ledger"],
    ["no postgres", "https://db/ledger"],
    ["a port that is none", "postgres://db/ledger?port=5432x"],
  ])("is refused for %s, and quotes no value", (_what, url) => {
    let message = "";
    try {
      other(url);
    } catch (error) {
      ({ message } = error as Error);
      expect(error).toMatchObject({ code: "SRV_CONFIG_INVALID" });
    }
    expect(message).toMatch(/^the database's address /);
    expect(message).not.toMatch(/s3cr3t|owner|ret@|off@/);
  });

  it("is what the driver reads, whatever the parts", () => {
    const text = fc.string({ minLength: 1, maxLength: 12, unit: "binary" });
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (user, secret, owner, isBehind) => {
        const part = encodeURIComponent;
        const url = isBehind
          ? `postgres://x:y@db/ledger?user=${part(owner)}&password=${part(secret)}`
          : `postgres://${part(owner)}:${part(secret)}@db/ledger`;
        expect(readAddress(url)).toMatchObject({ user: owner, password: secret });
        expect(seen(addressFor(url, user, secret))).toMatchObject({ user, password: secret, host: "db" });
      }),
      { numRuns: runs(500) },
    );
  });
});
