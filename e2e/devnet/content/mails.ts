/** The devnet's e-mails: those of the SpamAssassin corpus, with the labels that each contributor gives them. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { saltRow } from "@openledger/attribution/rows/salted-rows";
import { EMAIL_LABELS, emailContents } from "@openledger/attribution/testing/sample-emails";
import { CONTRIBUTORS } from "../config.ts";
import { COMMIT_COUNT, contributorOf, type DevnetPlan } from "../plan.ts";

type MailLabel = (typeof EMAIL_LABELS)[number];

interface LabelledMail {
  /** The true one. */
  readonly label: MailLabel;
  readonly text: string;
}

/** Longer ones only make the devnet slow. */
const MAX_CHARACTERS = 4000;

/** Whole e-mails in the corpus' order, spam and ham in turns; the same on every machine. */
function readMails(): LabelledMail[] {
  const mails = emailContents().map((content) => ({
    label: EMAIL_LABELS[content.at(-1)!]!,
    text: new TextDecoder().decode(content.subarray(0, -1)),
  }));
  const fit = mails.filter(
    // Bytes that are no UTF-8 would not come back from a row as they were.
    ({ text }) => text.trim() !== "" && text.length <= MAX_CHARACTERS && !text.includes("\ufffd"),
  );
  const spam = fit.filter(({ label }) => label === "spam");
  const ham = fit.filter(({ label }) => label === "ham");
  return spam.flatMap((mail, i) => [mail, ham[i]!]);
}

let cached: LabelledMail[] | undefined;
const allMails = () => {
  cached ??= readMails();
  return cached;
};

/** bob and carol label as it is; in every second commit dave calls spam ham and ham spam. */
export function isLabelWrong(index: number): boolean {
  return contributorOf(index) === "dave" && Math.floor(index / CONTRIBUTORS.length) % 2 === 1;
}

const otherLabel = (label: MailLabel): MailLabel => (label === "spam" ? "ham" : "spam");

/** Salts of a devnet are no secret, so that a job goes on with the same rows after a kill. */
const SALT = "openledger devnet salt, insecure: ";

interface MailRow {
  /** The row, with its salt. */
  readonly content: Uint8Array;
  /** Label that the contributor signs. */
  readonly label: MailLabel;
  readonly right: MailLabel;
}

/** The rows of commit `index`: no e-mail is in two commits. */
export function commitRows(plan: DevnetPlan, index: number): MailRow[] {
  const before = Array.from({ length: index }, (_, i) => plan.rowsPerCommit[contributorOf(i)]);
  const from = before.reduce((sum, count) => sum + count, 0);
  const name = contributorOf(index);
  return allMails()
    .slice(from, from + plan.rowsPerCommit[name])
    .map(({ label, text }) => ({
      content: saltRow(new TextEncoder().encode(text), sha256(new TextEncoder().encode(`${SALT}${text}`))),
      label: isLabelWrong(index) ? otherLabel(label) : label,
      right: label,
    }));
}

/** Facts about a planned row: its right label, and whether the labellers will differ on it. */
interface MailFacts {
  readonly right: MailLabel;
  /** Label of a labeller who is not careful. */
  readonly wrong: MailLabel;
  readonly isDisputed: boolean;
}

/** Returns the facts about all planned rows, by a row's SHA-256. */
export function mailFacts(plan: DevnetPlan): Map<string, MailFacts> {
  const facts = new Map<string, MailFacts>();
  let disputedCount = 0;
  for (let index = 0; index < COMMIT_COUNT; index++) {
    for (const { content, right } of commitRows(plan, index)) {
      const isDisputed = contributorOf(index) === "bob" && disputedCount < plan.disputedCount;
      if (isDisputed) disputedCount += 1;
      facts.set(bytesToHex(sha256(content)), { right, wrong: otherLabel(right), isDisputed });
    }
  }
  return facts;
}

/** E-mails that nobody has contributed: what customers ask about. */
export function heldOutMails(plan: DevnetPlan): LabelledMail[] {
  const used = Array.from({ length: COMMIT_COUNT }, (_, i) => plan.rowsPerCommit[contributorOf(i)]);
  const from = used.reduce((sum, count) => sum + count, 0);
  return allMails().slice(from, from + plan.questionCount);
}
