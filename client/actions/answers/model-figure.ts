/**
 * Figure of unseen rows of a registered model: signed with the model's key by who registers it, and read from the model's server, which
 * a reader does not trust. The gateway, the pages and `openledger verify model` show it.
 */
import { FIGURE_FILE, figureWords, type ModelFigure } from "@openledger/attribution/model/model-figure";
import { operationError } from "@openledger/circuits/circuit-errors";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import {
  FAULT_WORDS,
  type FigureFault,
  figureId,
  type JudgedFigure,
  judgeFigure,
  type SignedFigure,
  signFigureBody,
} from "@openledger/datanets/records/signed-figure";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";
import { type LedgerClient, requireL2Key } from "../../ledger-client.ts";
import { type GetModelErrorCode, getModel, staticsOf } from "../../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import type { SequencerAccess } from "../../sequencer/sequencer-request.ts";
import { requestModelServer } from "./model-answers.ts";

export interface SignFigureParameters {
  /** The model, as the ledger has it. */
  leaf: LedgerModelLeaf;
  figure: ModelFigure;
  /** Root of the rows of the first Datanet's version, in 0x-hex of 32 bytes: the recipe's `datanet.rowsRoot`. */
  versionRoot: string;
}
export type SignFigureErrorCode = "CLI_NOT_CONFIGURED" | "OP_BAD_SIGNATURE";

/**
 * Signs a model's figure with the key of the model's leaf, which the client has. The same figure gives the same bytes.
 * @throws CLI_NOT_CONFIGURED, OP_BAD_SIGNATURE where the client has another key
 * @example
 * ```ts
 * const { figure, recipe } = published;
 * const leaf = await getModel(client, 11);
 * if (figure !== null) signFigure(client, { leaf, figure, versionRoot: recipe.datanet.rowsRoot });
 * ```
 */
export function signFigure(
  client: LedgerClient,
  { figure, leaf, versionRoot }: SignFigureParameters,
): SignedFigure {
  const key = requireL2Key(client);
  if (key.keyX !== leaf.keyX)
    throw operationError("OP_BAD_SIGNATURE", `the client's key is not that of model ${leaf.id}`, {
      data: { id: leaf.id },
    });
  const modelRoot = hex32(staticsOf(leaf).hash);
  const body = { modelId: leaf.id, modelRoot, version: leaf.model.version, versionRoot, figure };
  return signFigureBody(client.domain, body, key);
}

export interface ReadFigureParameters {
  /** Address below which the server has the model's routes. */
  serverUrl: string;
  modelId: number;
}
/** none: the server shows no figure. refused: it shows one that counts for nothing. */
export type ReadFigureReturnType =
  | { state: "none" }
  | { state: "refused"; fault: FigureFault }
  | { state: "signed"; signed: SignedFigure; id: `0x${string}` };
export type ReadFigureErrorCode =
  | "CLI_ANSWER_INVALID"
  | "CLI_UNREACHABLE"
  | `SRV_${string}`
  | GetModelErrorCode;

const shownSchema = z.object({ figure: z.unknown() });

/**
 * Reads the figure that a model's server shows, and checks it against the ledger: it is signed by the key that the model's leaf has
 * now, of this model's statics and version, and of no more rows than that has. Whether the numbers are right, `verify model` computes.
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID, SRV_…; CLI_LEAF_NOT_FOUND, OP_WRONG_LEAF_KIND
 * @example
 * ```ts
 * const found = await readFigure(client, { serverUrl, modelId: 11 });
 * if (found.state === "signed") console.log(found.signed.body.figure.logisticCount);
 * ```
 */
export async function readFigure(
  client: SequencerAccess & Pick<LedgerClient, "domain" | "requestTimeoutMs">,
  { modelId, serverUrl }: ReadFigureParameters,
): Promise<ReadFigureReturnType> {
  const figure = await shownBy(client, serverUrl);
  if (figure == null) return { state: "none" };
  const leaf = await getModel(client, modelId);
  await initPoseidon();
  const { fault, signed } = judgeFigureOf(client.domain, leaf, figure);
  if (fault !== null) return { state: "refused", fault };
  return { state: "signed", signed, id: figureId(client.domain, signed.body) };
}

/** A server of an earlier release has no such route. */
async function shownBy(client: Pick<LedgerClient, "requestTimeoutMs">, serverUrl: string): Promise<unknown> {
  try {
    return (await requestModelServer(client, serverUrl, "/v1/figure", shownSchema)).figure;
  } catch (error) {
    if (isRollupError(error, "SRV_UNKNOWN_ROUTE")) return null;
    throw error;
  }
}

/**
 * Judges what is shown as a model's figure by the ledger's leaf.
 * @internal
 */
export function judgeFigureOf(domain: bigint, leaf: LedgerModelLeaf, shown: unknown): JudgedFigure {
  const { binding, hash } = staticsOf(leaf);
  return judgeFigure(domain, shown, {
    modelId: leaf.id,
    modelRoot: hex32(hash),
    version: leaf.model.version,
    rowCount: Number(unpackBinding(binding).rowCount),
    keyX: hex32(leaf.keyX),
  });
}

/** A recomputation, as `listVerified` and `findVerified` give it. */
export interface FigureVerification {
  leafId: number;
  /** null: of the model itself. */
  epoch: number | null;
  difference: { file: string } | null;
  /** Id of the signed figure that was recomputed with the model; null: none was. */
  figure: string | null;
}

/** Who has recomputed a figure, by the signed records of hosts. */
export interface FigureChecks {
  isByYou: boolean;
  otherCount: number;
  /** Leaves that got other numbers. */
  differingCount: number;
}

/**
 * Counts the leaves that have recomputed a figure with its model, and those that got another.
 * @param id of the figure, by `readFigure` @param you the reader's own leaf; null without one
 * @example
 * ```ts
 * const { verifications } = await findVerified(client, { hostUrls: [hostUrl], datanetIds: [10], modelId: 11 });
 * const found = await readFigure(client, { serverUrl, modelId: 11 });
 * if (found.state === "signed") console.log(figureChecks(verifications, found.id, null).otherCount);
 * ```
 */
export function figureChecks(
  verifications: readonly FigureVerification[],
  id: string,
  you: number | null,
): FigureChecks {
  const same = new Set<number>();
  const differing = new Set<number>();
  for (const { difference, epoch, figure, leafId } of verifications) {
    if (epoch !== null || figure !== id) continue;
    if (difference === null) same.add(leafId);
    else if (difference.file === FIGURE_FILE) differing.add(leafId);
  }
  const isByYou = you !== null && same.delete(you);
  return { isByYou, otherCount: same.size, differingCount: differing.size };
}

/**
 * Says a figure and who stands for it in one sentence's part; null where a server shows none.
 * @param checks by `figureChecks`; null where no host was asked
 * @example
 * ```ts
 * const found = await readFigure(client, { serverUrl, modelId: 11 });
 * console.log(figureLine(found, null));
 * ```
 */
export function figureLine(found: ReadFigureReturnType, checks: FigureChecks | null): string | null {
  if (found.state === "none") return null;
  if (found.state === "refused") return `not shown: its server shows ${FAULT_WORDS[found.fault]}`;
  const { figure } = found.signed.body;
  return [figureWords(figure), "signed by the model's leaf", ...checkWords(checks)].join("; ");
}

function checkWords(checks: FigureChecks | null): string[] {
  if (checks === null) return [];
  const { differingCount, isByYou, otherCount } = checks;
  const others = otherCount === 0 ? [] : [`${otherCount} ${otherCount === 1 ? "other" : "others"}`];
  const by = [...(isByYou ? ["you"] : []), ...others];
  return [
    `recomputed by ${by.length === 0 ? "nobody yet" : by.join(" and ")}`,
    ...(differingCount === 0 ? [] : [`${differingCount} got other numbers`]),
  ];
}
