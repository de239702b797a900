/** Registration of a factory's job: refused before the ledger is asked for anything, where the factory says why or shows nothing. */
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { whyUnapprovable } from "@openledger/datanets/terms/terms-rule";
import { expect, it } from "vitest";
import type { FactoryClient } from "./factory-client.ts";
import { registerJob } from "./register-job.ts";

const rowsUnder = (licence: string): RowTerms => ({
  ...{ datanet: 10, licence, isSigned: true, rowCount: 3, firstRows: ["ab".repeat(32)] },
});
// Whatever is asked of the ledger would be an address that is none.
const client = { sequencerUrl: "none:" } as LedgerClient;
const options = { jobId: "job-1", priceWei: 1n, amountWei: 1n, l1Owner: "0x00" } as const;

it("is refused for a recipe whose rows' terms forbid pay, before anything is paid", async () => {
  const terms = { use: "shared", licence: "CC-BY-NC-4.0", rows: [rowsUnder("CC-BY-NC-2.0")] } as const;
  const whyNot = whyUnapprovable({ terms } as never);
  expect(whyNot).toContain("may not answer for pay");
  expect(
    whyUnapprovable({ terms: { ...terms, licence: null, rows: [rowsUnder("CC0-1.0")] } } as never),
  ).toBeNull();
  expect(whyUnapprovable({})).toBeNull();
  const question: string[] = [];
  const factory = {
    registration: async () => {
      question.push("registration");
      return { state: "ready", modelId: null, isRegistrable: false, whyNot, statics: {} };
    },
  } as unknown as FactoryClient;
  await expect(registerJob(client, factory, options)).rejects.toMatchObject({
    code: "MOD_FACTORY_NOT_REGISTRABLE",
    data: { why: whyNot },
  });
  expect(question).toEqual(["registration"]);
});

it("is refused where the factory shows nothing to register", async () => {
  const registration = { state: "unready", modelId: null, isRegistrable: true, whyNot: null };
  const factory = {
    registration: async () => ({ ...registration, statics: null, staticsHash: null }),
  } as unknown as FactoryClient;
  await expect(registerJob(client, factory, options)).rejects.toMatchObject({
    code: "CLI_ANSWER_INVALID",
    data: { server: "factory" },
  });
});
