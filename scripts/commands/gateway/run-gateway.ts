/**
 * `openledger gateway`: opens the gateway of a name with the wallet's account, runs it until it is stopped, or ends it. Amounts
 * are in wei.
 */
import { once } from "node:events";
import { join } from "node:path";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { listServedModels, type ServedLocation } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { stopSignal } from "@openledger/foundation/run-until-stopped";
import { endedLine, type Funding } from "@openledger/gateway/account/gateway-account";
import { GATEWAY_PORT } from "@openledger/gateway/gateway-port";
import { endGateway, type Gateway, openGateway } from "@openledger/gateway/open-gateway";
import { commandError } from "../../cli/cli-errors.ts";
import {
  accountOf,
  knownDatanetHost,
  knownModelLocations,
  openReader,
  openSigner,
  resolveAccount,
  signFor,
} from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { storePreconfirmation } from "../../cli/preconfirmation-store.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import { parseMinAssurance } from "../models/parse-min-assurance.ts";
import { storedFamilies } from "./stored-families.ts";

export interface GatewayCommandOptions {
  budget?: string;
  maxPrice?: string;
  name?: string;
  port?: number;
  host?: string;
  mcp?: boolean;
  confirm?: boolean;
  server?: string[];
  minAssurance?: string;
  base?: string;
  return?: boolean;
  end?: string;
}
type Context = CommandContext<GatewayCommandOptions>;

/** Runs the gateway until Ctrl-C, or ends one. @throws CMD_USAGE, and the errors of `openGateway` and `endGateway` */
export async function runGateway({ options, output }: Context): Promise<void> {
  keepFilesPrivate();
  const reader = { ...(await openReader(options)), onPreconfirmation: storePreconfirmation };
  const logger = createLogger("gateway", "info", process.stderr);
  if (options.end !== undefined) {
    const ended = await endGateway({ folder: folderOf(options.end), reader, logger });
    output.answer([endedLine(ended)], ended);
    return;
  }
  if (options.maxPrice === undefined)
    throw commandError("CMD_USAGE", "say how much one answer may cost: --max-price OPEN");
  const maxPriceWei = parseOpen(options.maxPrice);
  const folder = folderOf(nameOf(options));
  output.progress("opening the gateway's account");
  const gateway = await openGateway({
    reader,
    folder,
    funding: fundingOf(options),
    maxPriceWei,
    minAssurance: parseMinAssurance(options.minAssurance),
    locations: () => locationsOf(reader, options.server ?? [], output),
    families: storedFamilies(join(folder, "bases"), options.base),
    port: options.port ?? (options.mcp === true ? 0 : GATEWAY_PORT),
    hostUrl: options.host ?? knownDatanetHost() ?? null,
    isConfirmed: options.confirm === true,
    logger,
  });
  const { lines, facts } = await describe(gateway, folder);
  if (options.mcp === true) {
    // Standard output is the protocol's.
    for (const line of lines) output.note(line);
    const served = serveStdio(() => gateway.createMcp());
    await Promise.race([stopSignal(), once(process.stdin, "end")]);
    await served.close();
  } else {
    output.answer([...lines, "Ctrl-C stops it; the account stays for the next start"], facts);
    await stopSignal();
  }
  if (options.return === true) output.note(endedLine(await gateway.end()));
  else await gateway.close();
}

/** @throws CMD_USAGE */
function folderOf(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw commandError("CMD_USAGE", `"${name}" is no name of a gateway: letters, digits, dots, dashes`);
  return join(workspaceDir(), "gateways", name);
}

/** Name of the gateway: the one given, else the account's. @throws CMD_ACCOUNT_INVALID */
const nameOf = (options: Context["options"]): string => options.name ?? resolveAccount(options).name;

function fundingOf(options: Context["options"]): (() => Promise<Funding>) | null {
  const { budget } = options;
  if (budget === undefined) return null;
  const budgetWei = parseOpen(budget);
  return async () => {
    const signer = await openSigner(options);
    const payer = await accountOf(signer.client, signer.account.l1.address);
    return { client: await signFor(signer, payer), budgetWei };
  };
}

/** Models of the servers that were named, then those that this machine knows. */
async function locationsOf(
  reader: LedgerClient,
  servers: readonly string[],
  output: Output,
): Promise<ServedLocation[]> {
  const lists = await Promise.all(
    servers.map((url) =>
      listServedModels(reader, url).catch((error: Error) => {
        output.note(`no list of models from ${url}: ${error.message}`);
        return [];
      }),
    ),
  );
  const known = Object.entries(knownModelLocations()).map(([id, serverUrl]) => ({
    serverUrl,
    modelId: Number(id),
  }));
  const locations = new Map<number, ServedLocation>();
  for (const position of [...known, ...lists.flat()]) locations.set(position.modelId, position);
  return [...locations.values()];
}

async function describe(gateway: Gateway, folder: string) {
  const { baseUrl, isNewAccount, isNewToken, leafId, token } = gateway;
  const leftWei = await gateway.leftWei();
  const tokenPath = join(folder, "token");
  const lines = [
    `OpenAI's API is answered at ${baseUrl}`,
    isNewToken ? `API key, printed this once: ${token.reveal()}` : `API key: in ${tokenPath}`,
    `account: leaf ${leafId}${isNewAccount ? ", opened now" : ", taken up"}; ${formatOpen(leftWei)} OPEN left`,
  ];
  const facts = {
    baseUrl,
    leafId,
    isNewAccount,
    leftWei,
    tokenPath,
    ...(isNewToken && { token: token.reveal() }),
  };
  return { lines, facts };
}
