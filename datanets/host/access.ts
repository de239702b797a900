/**
 * Access rules of a Datanet's card, as the host enforces them: who may read a Datanet's rows, and who may sign which record
 * about them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { type Card, nameCard } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { RecordBody } from "../records/record.ts";
import { isOfTeam, isReviewer } from "../records/record-roles.ts";
import { countedLabels, outcomeOf } from "../records/record-state.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostLeaf } from "../store/ledger-view.ts";
import type { RecordKnowledge } from "../store/record-offer.ts";
import { rowWithdrawn } from "../store/withdrawn-rows.ts";

interface Reader {
  /** null if the request is not signed. */
  readonly leaf: HostLeaf | null;
}

/**
 * Passes if the rows are public, or the leaf is the Datanet, one of its team, or granted at this moment.
 * @param keyX key that the ledger has for the Datanet
 * @throws DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED
 */
export async function requireReader(
  { card, datanet, keyX }: { card: Card; datanet: HostedDatanet; keyX: bigint },
  { leaf }: Reader,
  nowMs: number,
): Promise<void> {
  if (card.access === "public") return;
  const datanetId = datanet.id;
  if (leaf === null)
    throw datanetError(
      "DNT_REQUEST_UNSIGNED",
      `Datanet ${datanetId} is permissioned: requests for its rows are signed`,
      {
        data: { datanetId },
      },
    );
  if (leaf.id === datanetId || isOfTeam(card, leaf.id)) return;
  const untilMs = await datanet.grantedUntilMs(leaf.id, hex32(keyX));
  const data = { datanetId, leafId: leaf.id };
  if (untilMs === null)
    throw datanetError("DNT_ACCESS_NOT_GRANTED", `leaf ${leaf.id} has no access to Datanet ${datanetId}`, {
      data,
    });
  if (untilMs <= nowMs)
    throw datanetError("DNT_ACCESS_NOT_GRANTED", `the grant of leaf ${leaf.id} ran out at ${untilMs}`, {
      data: { reason: "grant-run-out", ...data, untilMs },
    });
}

/** @throws DNT_CHECK_NOT_ALLOWED for a leaf that is neither the Datanet nor one of its reviewers */
export function requireMayCheck(card: Card, datanetId: number, leaf: HostLeaf): void {
  if (leaf.id === datanetId || isReviewer(card, leaf.id)) return;
  throw datanetError(
    "DNT_CHECK_NOT_ALLOWED",
    `leaf ${leaf.id} is neither Datanet ${datanetId} nor one of its reviewers`,
    { data: { datanetId, leafId: leaf.id } },
  );
}

/** Returns why a leaf may label nothing here; null if it may. */
export function labelRefusal({ labelling: { labellers } }: Card, leaf: HostLeaf): string | null {
  if (leaf.kind !== "account") return "is no account";
  return labellers === "anyone" || labellers.includes(leaf.id) ? null : "is no labeller of this Datanet";
}

const notAllowed = (leaf: HostLeaf, why: string, kind: RecordBody["kind"]) =>
  datanetError("DNT_RECORD_NOT_ALLOWED", `leaf ${leaf.id} ${why}`, { data: { why, kind } });

/** @throws DNT_RECORD_NOT_ALLOWED */
export function requireMayLabel(card: Card, leaf: HostLeaf): void {
  const why = labelRefusal(card, leaf);
  if (why !== null) throw notAllowed(leaf, why, "label");
}

/** Datanet of a record, and what the host knows of its subject. */
interface RecordContext extends RecordKnowledge {
  readonly card: Card;
  readonly datanetId: number;
}

/**
 * @throws DNT_RECORD_NOT_ALLOWED, DNT_VERIFIED_FULL, DNT_NOT_HOSTED if the row or commit is not here, DNT_ROW_WITHDRAWN for what
 *   anybody says of a withdrawn row
 */
export function requireMaySay(body: RecordBody, signer: HostLeaf, context: RecordContext): void {
  const { recordState, card, datanetId } = context;
  const refuse = (why: string) => notAllowed(signer, why, body.kind);
  const requireReviewer = () => {
    if (signer.id !== datanetId && !isReviewer(card, signer.id))
      throw refuse("is no reviewer of this Datanet");
  };
  const requireLabel = (label: string) => {
    if (!card.labels.some(({ name }) => name === label))
      throw refuse(`says "${label}", which is no label of the card`);
  };
  if ("row" in body) {
    const contributorId =
      body.kind === "withdrawal" ? context.withdrawableBy(body.row) : context.contributorOf(body.row);
    if (contributorId === null)
      throw datanetError("DNT_NOT_HOSTED", `this host has no row ${body.row}`, {
        data: { digest: body.row },
      });
    if (body.kind !== "withdrawal" && recordState.row(body.row).withdrawals.has(contributorId))
      throw rowWithdrawn(datanetId, [body.row]);
  }
  switch (body.kind) {
    case "label": {
      const contributorId = context.contributorOf(body.row)!;
      // Contributors say what their rows are, whoever labels.
      if (signer.id !== contributorId) requireMayLabel(card, signer);
      requireLabel(body.label);
      const row = recordState.row(body.row);
      // A labeller with a new key signs again what readers count no more. It says nothing new.
      const own = row.labels.get(signer.id);
      if (own?.label === body.label && own.sawSuggestion === body.sawSuggestion) return;
      // Attack: who has seen the others' labels follows them. Labels are shown once a row has enough, and then it takes none.
      const isFull = countedLabels(card, row.labels, contributorId) >= card.labelling.annotatorsPerRow;
      // A gold row takes any labeller's label, but none that the contributor gives once the others' are shown.
      const isTest = row.gold !== null && signer.id !== contributorId;
      if (!isTest && (isFull || outcomeOf(card, row, contributorId).state !== "waiting"))
        throw refuse("comes after the row has its labels");
      if (row.gold !== null && row.labels.has(signer.id)) throw refuse("has labelled this row");
      return;
    }
    case "gold":
    case "suggestion":
      requireReviewer();
      requireLabel(body.label);
      return;
    case "settle":
      requireReviewer();
      if (body.label !== null) requireLabel(body.label);
      return;
    case "leaveOut":
      requireReviewer();
      return;
    case "objection":
      if (context.contributorOf(body.row) !== signer.id) throw refuse("has not contributed the row");
      return;
    case "withdrawal":
      if (context.withdrawableBy(body.row) !== signer.id) throw refuse("has not contributed the row");
      return;
    case "verdict":
      requireReviewer();
      if (!context.isCommitKnown(body.commit))
        throw datanetError("DNT_NOT_HOSTED", `this host has no list of the commit ${body.commit}`, {
          data: { rowsRoot: body.commit },
        });
      return;
    case "terms": {
      const committerId = context.committerOf(body.commit);
      if (committerId === null)
        throw datanetError("DNT_NOT_HOSTED", `this host has no list of the commit ${body.commit}`, {
          data: { rowsRoot: body.commit },
        });
      if (committerId !== signer.id) throw refuse("has not contributed the commit");
      // Attack: a contributor takes later terms back by signing those of an earlier card.
      const isPresent = hex32(nameCard(card).policy) === body.policy;
      if (!isPresent && recordState.lastAtMs(body) >= 0)
        throw refuse("has signed terms of this commit, and signs those of an earlier card");
      return;
    }
    case "accessRequest":
    case "showEarnings":
      if (signer.kind !== "account") throw refuse("is no account");
      return;
    case "accessAnswer":
      if (signer.id !== datanetId) throw refuse("is not the Datanet, whose key alone grants access");
      if (!recordState.accessCases().some(({ id }) => id === body.request))
        throw datanetError("DNT_NOT_HOSTED", `there is no request ${body.request} here`, {
          data: { request: body.request },
        });
      return;
    case "verified":
      // Anybody may compute again. ledger-check.ts compares model, version and epoch with the ledger's before this.
      context.requireRoomFor(body, signer.id === datanetId || isOfTeam(card, signer.id));
      return;
    case "report":
      // Anybody may compute again. ledger-check.ts compares version and model with the ledger's before this.
      return;
    default:
      body satisfies never;
  }
}
