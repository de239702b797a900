/**
 * Gateway on one's own machine: OpenAI's API for models that are paid by proof. It asks a model's server, checks the answer, pays
 * from an account of its own within budget and price, and gives the answer with its receipt. `openledger gateway` opens one.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { McpServer } from "@modelcontextprotocol/server";
import { minAssuranceOf, type ReplyAssurance } from "@openledger/client/actions/answers/model-answers";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { readStoreRollup } from "@openledger/client/store-rollup";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { Secret } from "@openledger/foundation/secret";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { type EndedAccount, endAccount, type Funding, openAccount } from "./account/gateway-account.ts";
import { openGatewayStore } from "./account/gateway-store.ts";
import { Asker } from "./asking/asker.ts";
import { Budget } from "./asking/budget.ts";
import { CheckableModels, type FamiliesOf } from "./asking/checkable-models.ts";
import { ModelFigures } from "./asking/model-figures.ts";
import { type ListLocations, ModelLocations } from "./asking/model-locations.ts";
import { QuestionJournal } from "./asking/question-journal.ts";
import { SignedPayments } from "./asking/signed-payments.ts";
import { GATEWAY_PORT } from "./gateway-port.ts";
import { createGatewayApp } from "./http/gateway-app.ts";
import { createToken } from "./http/guard.ts";
import { McpOverHttp, type NoteDelivery } from "./mcp/mcp-over-http.ts";
import { createMcpServer } from "./mcp/mcp-server.ts";

/** Questions of one model that wait or run. */
const MAX_QUEUED = 16;
/** Time between two sendings of a payment that the sequencer has not answered for. */
const RETRY_INTERVAL_MS = 10_000;
/** Time between two looks at payments whose end Ethereum does not have yet. */
const REVIEW_INTERVAL_MS = 60_000;
/** Time that a stop waits, and that models' servers have of it for answers in the making. */
const STOP_TIMEOUT_MS = 5_000;
const STOP_GRACE_MS = 3_000;
/** Time that models' servers have for answers in the making before what is left goes back. */
const END_GRACE_MS = 10_000;
/** Time after which it goes back whatever is under way: a model's files that come slowly are paid for by nobody. */
const END_TIMEOUT_MS = 60_000;

export interface GatewayOptions {
  /** Client of the rollup. Its keys are not used. */
  readonly reader: LedgerClient;
  /** Folder of the gateway's own: its account's key, the token, the journal, models' files. */
  readonly folder: string;
  /** Wallet's account that pays the budget, and how much. Called where there is no account yet; null: never. */
  readonly funding: (() => Promise<Funding>) | null;
  /** Maximum price of an answer, in wei. */
  readonly maxPriceWei: bigint;
  /** Minimum assurance of each part; default: any. */
  readonly minAssurance?: Partial<ReplyAssurance>;
  /** Models' servers. */
  readonly locations: ListLocations;
  /** Kinds of models that it can check. */
  readonly families: FamiliesOf;
  /** 0: any free one. */
  readonly port?: number;
  readonly maxQueued?: number;
  /** True if a person confirms each payment of MCP's tools, by a client with elicitation. */
  readonly isConfirmed?: boolean;
  /** Datanet host, for MCP's tools of rows, and for who has recomputed a model. */
  readonly hostUrl?: string | null;
  readonly logger?: Logger;
}

export interface Gateway {
  /** Base URL for OpenAI's clients: http://127.0.0.1:8777/v1 */
  readonly baseUrl: string;
  /** Token that every request has to carry, as an API key. */
  readonly token: Secret<string>;
  /** True if the token was made by this start: print it once. */
  readonly isNewToken: boolean;
  /** Leaf of the gateway's account. */
  readonly leafId: number;
  /** True if this start has opened the account. */
  readonly isNewAccount: boolean;
  /** Makes an MCP server with the gateway's tools, for one connection. */
  createMcp(): McpServer;
  /** Balance that is left. */
  leftWei(): Promise<bigint>;
  /** Stops, and keeps the account for the next start. */
  close(): Promise<void>;
  /** Stops, and returns what is left. */
  end(): Promise<EndedAccount>;
}

/**
 * Opens a gateway, or takes up the one of the folder with what it had under way.
 * @throws GAT_NO_ACCOUNT, CIR_SECRET_FILE, SRV_STORE_LOCKED, SRV_WRONG_DIRECTORY, SRV_CONFIG_INVALID, and the errors of
 *   `createAccount` and `waitFor`; CLI_INPUT_INVALID for a minimum assurance that does not exist
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { families, folder, funding, maxPriceWei, locations: listLocations, reader } = options;
  const minAssurance = minAssuranceOf(options);
  const { maxQueued = MAX_QUEUED, port = GATEWAY_PORT } = options;
  const logger = options.logger ?? createLogger("gateway");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const store = await openGatewayStore(join(folder, "store"), await readStoreRollup(reader, undefined));
    closing.push(() => store.close());
    const account = await openAccount({ folder, store, reader }, funding);
    const { client, isNew: isNewAccount, leafId } = account;
    const { isNewToken, token } = await takeToken(folder);
    const journal = await QuestionJournal.open(store);
    const budget = new Budget(client, leafId, () => journal.owedWei());
    const models = new CheckableModels(join(folder, "models"), families, client);
    const asker = new Asker(
      { client, leafId, budget, journal, models, logger },
      { maxPriceWei, minAssurance, maxQueued },
    );
    const isAnsweredAgain = (minAssurance.answer ?? "believed") !== "believed";
    const { hostUrl = null, isConfirmed = false } = options;
    const figures = new ModelFigures({ client, leafId, hostUrl });
    const locations = new ModelLocations(reader, listLocations, families, isAnsweredAgain, figures);
    await asker.resume();
    closing.push(() => withinTime(asker.end(STOP_GRACE_MS)));
    const retrying = setInterval(() => void asker.settleUnsure().catch(() => {}), RETRY_INTERVAL_MS);
    const reviewing = setInterval(() => void asker.review().catch(() => {}), REVIEW_INTERVAL_MS);
    closing.push(async () => {
      clearInterval(retrying);
      clearInterval(reviewing);
    });
    const modules = { asker, locations, budget, journal, client, leafId, maxPriceWei, isConfirmed, hostUrl };
    const createMcp = (note?: NoteDelivery) =>
      createMcpServer({ ...modules, rowsFolder: join(folder, "rows") }, note);
    const mcp = new McpOverHttp(createMcp);
    closing.push(() => mcp.close());
    const app = await createGatewayApp({ asker, budget, locations, token, maxPriceWei, logger, mcp });
    closing.push(() => app.close());
    const url = await app.listen({ host: "127.0.0.1", port });
    return {
      baseUrl: `${url}/v1`,
      token,
      isNewToken,
      leafId,
      isNewAccount,
      createMcp: () => createMcp(),
      leftWei: () => budget.leftWei(),
      close,
      async end() {
        // The connections are cut last: who waits for an answer in the making gets it.
        await withinTime(asker.end(END_GRACE_MS), END_TIMEOUT_MS);
        await app.close();
        try {
          return await endAccount({ folder, store, reader });
        } finally {
          await close();
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Returns what is left of a gateway that does not run. @throws GAT_NO_ACCOUNT, SRV_STORE_LOCKED, and the errors of `transfer` */
export async function endGateway({
  folder,
  logger = createLogger("gateway"),
  reader,
}: Pick<GatewayOptions, "folder" | "logger" | "reader">): Promise<EndedAccount> {
  const store = await openGatewayStore(join(folder, "store"), await readStoreRollup(reader, undefined));
  try {
    const { client } = await openAccount({ folder, store, reader }, null);
    const journal = await QuestionJournal.open(store);
    // What was signed is owed.
    await new SignedPayments({ client, journal, logger }).review();
    return await endAccount({ folder, store, reader });
  } finally {
    await store.close();
  }
}

/** Resolves with the work, or when a stop has waited long enough: what is under way then goes on at the next start. */
async function withinTime(work: Promise<unknown>, timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}

/** Reads the token of the folder, or makes one. @throws CIR_SECRET_FILE */
async function takeToken(folder: string): Promise<{ token: Secret<string>; isNewToken: boolean }> {
  const path = join(folder, "token");
  const isNewToken = readIfPresent(path) === null;
  if (isNewToken) await writeFileWhole(path, `${createToken()}\n`, { mode: 0o600 });
  return { token: new Secret(readSecretFile(path)), isNewToken };
}
