/**
 * A classifier behind a real answer server, on a ledger of a few answers that takes payments of one account (leaf 4). A test
 * chooses how the sequencer fails.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { leafReference, messageHash } from "@openledger/circuits/ledger/operation";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { decodeOperation, type OperationBody } from "@openledger/circuits/wire/operation-body";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { FakeFailure } from "@openledger/client/testing/fake-sequencer";
import {
  createLedgerFixture,
  feesAnswer,
  leafAnswer,
  owners,
} from "@openledger/client/testing/ledger-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import { Secret } from "@openledger/foundation/secret";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { modelUrl, serveModels } from "@openledger/models/serving/serve-models";
import {
  modelLeaf,
  PRICE_WEI,
  publishDirectModel,
  ROLLUP,
  setPayments,
} from "@openledger/models/testing/answered-world";
import { worldConfig } from "@openledger/models/testing/serving-world";
import { openGatewayStore } from "../account/gateway-store.ts";
import { Asker, type AskerLimits } from "../asking/asker.ts";
import { Budget } from "../asking/budget.ts";
import { CheckableModels } from "../asking/checkable-models.ts";
import { ModelFigures } from "../asking/model-figures.ts";
import { ModelLocations } from "../asking/model-locations.ts";
import { QuestionJournal } from "../asking/question-journal.ts";
import { createGatewayApp } from "../http/gateway-app.ts";
import { createToken } from "../http/guard.ts";
import type { McpModules } from "../mcp/mcp-modules.ts";
import { McpOverHttp } from "../mcp/mcp-over-http.ts";
import { createMcpServer } from "../mcp/mcp-server.ts";

export const MODEL_ID = 10;
export const PAYER = 4;
export { PRICE_WEI };

const FEE_WEI = 14_000n;
const MODEL_OWNER = 0x0bn;

/**
 * Behaviour of the sequencer with a payment: takes it; takes it and is not heard of; is not heard of; refuses it; refuses it as one
 * that it has dropped before; knows no operation of before.
 */
export type SequencerMode = "takes" | "takes-silently" | "silent" | "refuses" | "dropped" | "forgetful";

const SILENCE = new FakeFailure(503, { error: { code: "SEQ_AWAY", message: "the sequencer is away" } });
const UNKNOWN = new FakeFailure(404, {
  error: { code: "SEQ_UNKNOWN", message: "there is no such operation" },
});
const REFUSAL = new FakeFailure(422, { error: { code: "OP_EPOCH_FULL", message: "the epoch is full" } });

const familiesOf = async () => [directFamily as never];

interface AskerFolders {
  /** Folder of the gateway's own. */
  readonly own: string;
  readonly models: string;
}

/** A gateway's asker on a store of its own, which signs for the payer. */
async function openAskerOf(
  client: LedgerClient,
  { models: modelsFolder, own }: AskerFolders,
  limits: Partial<AskerLimits> = {},
) {
  const store = await openGatewayStore(join(own, "store"), ROLLUP);
  const journal = await QuestionJournal.open(store);
  const models = new CheckableModels(modelsFolder, familiesOf);
  const signing = { ...client, leafId: PAYER };
  const asker = new Asker(
    {
      client: signing,
      leafId: PAYER,
      budget: new Budget(signing, PAYER, () => journal.owedWei()),
      journal,
      models,
      logger: createLogger("gateway", "silent"),
    },
    { maxPriceWei: 2n * PRICE_WEI, minAssurance: {}, maxQueued: 8, ...limits },
  );
  return { asker, journal, close: () => store.close() };
}

/** The gateway's HTTP over such an asker, on a port of its own. */
export async function openAppOf(
  client: LedgerClient,
  folders: AskerFolders,
  place: ServedLocation,
  changes: Partial<McpModules> = {},
) {
  const { asker, close, journal } = await openAskerOf(client, folders);
  const signing = { ...client, leafId: PAYER };
  const figures = new ModelFigures({ client: signing, leafId: PAYER, hostUrl: null });
  const locations = new ModelLocations(client, async () => [place], familiesOf, false, figures);
  const token = new Secret(createToken());
  const maxPriceWei = 2n * PRICE_WEI;
  const modules: McpModules = {
    asker,
    journal,
    locations,
    budget: new Budget(signing, PAYER, () => journal.owedWei()),
    client: signing,
    leafId: PAYER,
    maxPriceWei,
    isConfirmed: false,
    hostUrl: null,
    rowsFolder: join(folders.own, "rows"),
    ...changes,
  };
  const mcp = new McpOverHttp((note) => createMcpServer(modules, note));
  const logger = createLogger("gateway", "silent");
  const app = await createGatewayApp({ ...modules, token, mcp, logger });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const stop = async () => {
    await app.close();
    await mcp.close();
    await asker.idle();
    await close();
  };
  return { url, token: token.reveal(), modules, stop };
}

export type PaidLedger = Awaited<ReturnType<typeof startPaidLedger>>;

export async function startPaidLedger() {
  const fixture = await createLedgerFixture({ hasFeed: false });
  const { client, key, sequencer } = fixture;
  const published = await publishDirectModel();
  const folder = await mkdtemp(join(tmpdir(), "gateway-ledger-"));
  const database = await createTestDatabase();
  /** Time of the answer server's clock ahead of the machine's. */
  let aheadMs = 0;
  const served = await serveModels(
    worldConfig(folder, {
      SERVING_BASE_PATH: undefined,
      SERVING_ADAPTERS_PATH: undefined,
      SERVING_DATABASE_URL: database.url,
      SERVING_RATE_LIMIT_PER_MINUTE: "1000",
    }),
    {
      logger: createLogger("models", "silent"),
      nowMs: () => Date.now() + aheadMs,
      published: {
        locations: [{ modelId: MODEL_ID, folder: published.publishedFolder }],
        sequencerUrl: sequencer.url,
        domain: client.domain,
        rollup: ROLLUP,
        pollIntervalMs: 600_000,
      },
    },
  );
  let mode: SequencerMode = "takes";
  /** Whether a payment has come since the mode was set: only then a silent sequencer lists no payments. */
  let hasPayment = false;
  const ledger = {
    get mode(): SequencerMode {
      return mode;
    },
    set mode(next: SequencerMode) {
      mode = next;
      hasPayment = false;
    },
    balanceWei: 100n * PRICE_WEI,
    priceWei: PRICE_WEI,
    /** Payments that an epoch of the model takes. */
    cap: 1_000,
    /** Open epoch of the model: payments are in the first one. */
    epoch: 1,
    /** Payments, in their order. */
    paid: [] as { readonly receipt: bigint; readonly nonce: number; readonly hash: string }[],
    /** Called before the sequencer reads a payment. */
    onPayment: (_body: OperationBody) => {},
  };
  const { answers } = sequencer;
  const context = {
    domain: client.domain,
    bRef: leafReference({ l1Owner: MODEL_OWNER, kind: LEAF_KIND.model }),
  };
  const leaf = () => ({
    ...leafAnswer({ id: PAYER, l1Owner: owners.payer, keyX: key.keyX, nextNonce: ledger.paid.length }),
    balanceWei: `${ledger.balanceWei}`,
  });
  answers.set(`GET /v1/leaves/${PAYER}`, leaf);
  const model = () => ({
    ...modelLeaf(published.model, MODEL_ID, {
      priceWei: `${ledger.priceWei}`,
      epoch: ledger.epoch,
      cap: ledger.cap,
      paymentCount: ledger.epoch === 1 ? ledger.paid.length : 0,
    }),
    keyX: hex32(key.keyX),
  });
  for (const route of ["leaves", "models"]) answers.set(`GET /v1/${route}/${MODEL_ID}`, model);
  answers.set("GET /v1/fees", feesAnswer(FEE_WEI));
  const pageOf = (epoch: number, paid: typeof ledger.paid) => () =>
    hasPayment && (ledger.mode === "silent" || ledger.mode === "takes-silently")
      ? SILENCE
      : {
          epoch,
          isClosed: epoch < ledger.epoch,
          closingBatch: null,
          chain: hex32(0n),
          amountWei: "0",
          paymentCount: paid.length,
          payments: paid.map(({ hash, receipt }) => ({
            hash,
            receipt: hex32(receipt),
            payerId: PAYER,
            amountWei: `${PRICE_WEI}`,
            cumulativeWei: `${PRICE_WEI}`,
            batchNumber: 1,
          })),
        };
  const listPayments = () => {
    setPayments(
      fixture,
      MODEL_ID,
      ledger.paid.map(({ hash, receipt }) => ({ hash, receipt, payerId: PAYER })),
    );
    for (const [epoch, paid] of [
      [1, ledger.paid],
      [2, []],
    ] as const)
      answers.set(
        `GET /v1/models/${MODEL_ID}/payments?from=0&limit=500&epoch=${epoch}`,
        pageOf(epoch, paid as typeof ledger.paid),
      );
  };
  listPayments();
  const taken = (body: OperationBody, hash: string) => ({
    ...body,
    hash,
    amountCode: 1,
    status: "acknowledged",
    preconfirmation: null,
  });
  answers.set("POST /v1/operations", (body: OperationBody) => {
    ledger.onPayment(body);
    hasPayment = true;
    const hash = hex32(messageHash(decodeOperation(body), context));
    const isKnown = ledger.paid.some((one) => one.hash === hash);
    if (ledger.mode === "dropped") {
      answers.set(`GET /v1/operations/${hash}`, { ...taken(body, hash), status: "dropped" });
      return REFUSAL;
    }
    answers.set(`GET /v1/operations/${hash}`, () =>
      ledger.mode === "silent" ||
      ledger.mode === "takes-silently" ||
      !ledger.paid.some((one) => one.hash === hash)
        ? ledger.mode === "takes" || ledger.mode === "refuses"
          ? UNKNOWN
          : SILENCE
        : ledger.mode === "forgetful"
          ? UNKNOWN
          : taken(body, hash),
    );
    if (ledger.mode === "silent") return SILENCE;
    if (ledger.mode === "refuses") return REFUSAL;
    if (!isKnown || ledger.mode === "forgetful") {
      if (body.nonce !== ledger.paid.length)
        return new FakeFailure(422, { error: { code: "OP_WRONG_NONCE", message: "another nonce is next" } });
      ledger.paid.push({ receipt: BigInt(body.words[0]!), nonce: body.nonce, hash });
      ledger.balanceWei -= PRICE_WEI + FEE_WEI;
      listPayments();
    }
    return ledger.mode === "takes-silently" ? SILENCE : taken(body, hash);
  });
  const place = { modelId: MODEL_ID, serverUrl: modelUrl(served.url, MODEL_ID) };
  let folderCount = 0;
  return {
    ledger,
    place,
    client,
    /** Lets all unpaid answers of the server lapse. */
    passTime(): void {
      aheadMs += 2 * 3_600_000;
    },
    /** Drops the newest payment, which the sequencer has taken before. */
    forget(hash: string): void {
      const body = sequencer.heard.findLast(({ route }) => route === "POST /v1/operations")!
        .body as OperationBody;
      if (ledger.paid.at(-1)?.hash !== hash) throw new Error("it is not the newest payment");
      ledger.paid.pop();
      ledger.balanceWei += PRICE_WEI + FEE_WEI;
      listPayments();
      answers.set(`GET /v1/operations/${hash}`, { ...taken(body, hash), status: "dropped" });
    },
    /** Takes a payment after all that was refused before. */
    take(hash: string, receipt: string): void {
      ledger.paid.push({ receipt: BigInt(receipt), nonce: ledger.paid.length, hash });
      ledger.balanceWei -= PRICE_WEI + FEE_WEI;
      listPayments();
    },
    prompts: published.prompts,
    published: published.model,
    /** Folder of the model's files, as its server reads them. */
    modelFolder: published.publishedFolder,
    newFolder: () => join(folder, `gateway-${folderCount++}`),
    /**
     * A gateway's asker on a store of its own. A second one of the same folder is a process that was started again.
     * @param modelsFolder of the models' files; default: one for all, which have been checked before
     */
    openAsker(own: string, limits: Partial<AskerLimits> = {}, models = join(folder, "models")) {
      return openAskerOf(client, { own, models }, limits);
    },
    /** Answers for the account's rewards: none. */
    answerRewards(): void {
      answers.set(`GET /v1/leaves/${PAYER}/rewards`, { leafId: PAYER, claimableWei: "0", rewards: [] });
    },
    /** The gateway's HTTP over such an asker, on a port of its own. */
    openApp(changes: Partial<McpModules> = {}) {
      const folders = { own: this.newFolder(), models: join(folder, "models") };
      return openAppOf(client, folders, place, changes);
    },
    async stop(): Promise<void> {
      await served.close();
      await database.drop();
      await fixture.close();
      await published.remove();
      await rm(folder, { recursive: true });
    },
  };
}
