/** Registration of a factory's job: refused before the ledger is asked for anything, where the factory says why or shows nothing. */
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { judgeFigureOf } from "@openledger/client/actions/answers/model-figure";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { createLedgerFixture } from "@openledger/client/testing/ledger-fixture";
import type { SignedFigure } from "@openledger/datanets/records/signed-figure";
import { whyUnapprovable } from "@openledger/datanets/terms/terms-rule";
import { hex32 } from "@openledger/foundation/hex";
import { expect, it, onTestFinished } from "vitest";
import { modelLeaf, publishDirectModel } from "../testing/answered-world.ts";
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

it("signs the figure of a model that is registered, once", async () => {
  await initPoseidon();
  const { client: signer, close, key, sequencer } = await createLedgerFixture({ hasFeed: false });
  onTestFinished(close);
  const { model, remove } = await publishDirectModel();
  onTestFinished(remove);
  const leaf = { ...modelLeaf(model, 15), keyX: hex32(key.keyX) };
  sequencer.answers.set("GET /v1/models/15", leaf);
  const brought: SignedFigure[] = [];
  let isFigureSigned = false;
  const factory = {
    registration: async () => ({ state: "registered", modelId: 15, figure: model.figure, isFigureSigned }),
    lineage: async () => ({ recipe: model.recipe }),
    bringFigure: async (jobId: string, signed: SignedFigure) => {
      expect(jobId).toBe("job-1");
      brought.push(signed);
      isFigureSigned = true;
    },
  } as unknown as FactoryClient;
  for (let time = 0; time < 2; time++) expect(await registerJob(signer, factory, options)).toBe(15);
  expect(brought).toHaveLength(1);
  const { body } = brought[0]!;
  expect(body).toMatchObject({ figure: model.figure, versionRoot: model.recipe.datanet.rowsRoot });
  expect(judgeFigureOf(signer.domain, await getModel(signer, 15), brought[0])).toMatchObject({ fault: null });
});
