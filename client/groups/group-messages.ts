/**
 * Messages of a group's members to each other: signed with their ledger keys, for one session and one step of it. A mailbox carries
 * them, and nobody has to trust it: it can keep messages back, which ends a session in time, and nothing else.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { canonicalJson } from "@openledger/datanets/card/canonical-json";
import {
  checkMessages,
  type GroupMessage,
  type GroupStep,
  groupMessageSchema,
  MAX_SESSION_MS,
  signMessage,
  word,
} from "@openledger/datanets/records/group-message";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";
import { z } from "zod";
import { clientError } from "../client-errors.ts";
import type { L2Key } from "../l2-key.ts";
import { groupInvalid } from "./frost-suite.ts";

/** Carries messages of sessions. It may lose, repeat, delay and forge: readers check what it gives. */
export interface GroupMailbox {
  post(message: GroupMessage): Promise<void>;
  /** Everything that was posted for a session. */
  read(session: Hex): Promise<readonly unknown[]>;
}

/** A mailbox that knows which sessions it has. */
export interface ListingMailbox extends GroupMailbox {
  sessions(): Promise<Hex[]>;
}

export interface SessionOptions {
  readonly domain: bigint;
  readonly session: Hex;
  /** Keys whose messages count. */
  readonly members: readonly Hex[];
  readonly key: Pick<L2Key, "keyX" | "sign">;
  readonly mailbox: GroupMailbox;
  /** Time at which the session ends, in Unix milliseconds. */
  readonly untilMs: number;
  /** Time between two looks into the mailbox, in milliseconds; default 500. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A reason is a word of ours: the others' screens show it. */
const complaintSchema = z.strictObject({ against: word, reason: z.string().regex(/^[a-z-]{1,60}$/) });

/** One member's view of a session: what each member has said at each step. Who says two things at one step is named. */
export class GroupSession {
  readonly #options: SessionOptions;
  /** Hashes of the values that were read. */
  readonly #read = new Set<string>();
  readonly #said = new Map<string, GroupMessage>();
  readonly keyX: Hex;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.keyX = hex32(options.key.keyX);
  }

  /**
   * Looks into the mailbox for the first time.
   * @throws CLI_GROUP_INVALID if this member has posted the step already: secrets of a process that ended are gone
   */
  async begin(step: GroupStep): Promise<void> {
    this.#checkTime();
    await this.refresh();
    if (this.saidBy(step, this.keyX) !== undefined)
      throw clientError(
        "CLI_GROUP_INVALID",
        "you take part in this session already, in a process that runs or has ended: begin another session",
        { data: { reason: "begun-before" } },
      );
  }

  /** @throws CLI_GROUP_INVALID once the time is over: a process that slept says nothing late */
  async post(step: GroupStep, body: unknown): Promise<GroupMessage> {
    const { domain, key, mailbox, session } = this.#options;
    this.#checkTime();
    const message = signMessage(domain, key, { session, step, body });
    this.#note(message);
    await mailbox.post(message);
    return message;
  }

  /** Tells the others that a member broke the rules, and ends the session. */
  async complain(against: Hex, reason: string): Promise<never> {
    await this.post("complaint", { against, reason });
    throw fault(reason, [against], this.keyX);
  }

  saidBy(step: GroupStep, member: Hex): GroupMessage | undefined {
    return this.#said.get(`${step}/${member}`);
  }

  /** Waits for each member's message of a step. @throws CLI_GROUP_SILENT, CLI_GROUP_FAULT */
  async collect<T>(step: GroupStep, from: readonly Hex[], schema: z.ZodType<T>): Promise<Map<Hex, T>> {
    const missing = () => from.filter((member) => this.saidBy(step, member) === undefined);
    await this.waitUntil(() => missing().length === 0, step, missing);
    return new Map(from.map((member) => [member, this.bodyOf(step, member, schema)]));
  }

  /** A member's message of a step, which is there. @throws CLI_GROUP_FAULT if its form is wrong */
  bodyOf<T>(step: GroupStep, member: Hex, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(this.saidBy(step, member)?.body);
    if (!parsed.success) throw fault(`${step}-malformed`, [member]);
    return parsed.data;
  }

  /** Looks into the mailbox until a condition holds. @throws CLI_GROUP_SILENT, CLI_GROUP_FAULT */
  async waitUntil(isMet: () => boolean, step: GroupStep, missing: () => readonly Hex[]): Promise<void> {
    const { pollMs = 500, signal, untilMs } = this.#options;
    for (;;) {
      await this.refresh();
      if (isMet()) return;
      signal?.throwIfAborted();
      if (Date.now() >= untilMs) throw silent(step, missing());
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(1, Math.min(pollMs, untilMs - Date.now()))),
      );
    }
  }

  /** @throws CLI_GROUP_FAULT for two messages of a member at one step, and for a complaint */
  async refresh(): Promise<void> {
    const { domain, mailbox, session } = this.#options;
    const values = (await mailbox.read(session)).filter(
      (value) => this.#isOfMember(value) && this.#isNew(value),
    );
    for (const message of checkMessages(domain, values)) this.#note(message);
  }

  /** True if it says to be a member's, for this session. Others' signatures are not worth a look. */
  #isOfMember(value: unknown): boolean {
    const { members, session } = this.#options;
    const { data } = groupMessageSchema.safeParse(value);
    return data?.session === session && members.includes(data.from);
  }

  #isNew(value: unknown): boolean {
    let hash: string;
    try {
      hash = bytesToHex(sha256(utf8ToBytes(JSON.stringify(value))));
    } catch {
      return false; // nested too deep for a message
    }
    if (this.#read.has(hash)) return false;
    this.#read.add(hash);
    return true;
  }

  #checkTime(): void {
    const leftMs = this.#options.untilMs - Date.now();
    if (leftMs <= 0) throw groupInvalid("over", "the time of this session is over");
    if (leftMs > MAX_SESSION_MS) throw groupInvalid("too-long", "a session ends within seven days");
  }

  #note(message: GroupMessage): void {
    const { body, from, step } = message;
    const known = this.saidBy(step, from);
    if (known !== undefined && canonicalJson(known.body) !== canonicalJson(body))
      throw fault("two-messages", [from]);
    this.#said.set(`${step}/${from}`, message);
    if (step !== "complaint" || from === this.keyX) return;
    const complaint = complaintSchema.safeParse(body);
    throw complaint.success
      ? fault(complaint.data.reason, [complaint.data.against], from)
      : fault("complaint-malformed", [from]);
  }
}

/** CLI_GROUP_FAULT. @param accuser the member who says so, where this member cannot see it */
export function fault(reason: string, members: readonly Hex[], accuser?: Hex) {
  const says = accuser === undefined ? "" : `, says ${accuser}`;
  return clientError("CLI_GROUP_FAULT", `${members.join(", ")} broke the rules (${reason})${says}`, {
    data: { reason, members, ...(accuser !== undefined && { accuser }) },
  });
}

function silent(step: GroupStep, members: readonly Hex[]) {
  return clientError("CLI_GROUP_SILENT", `no answer in time (${step}) from ${members.join(", ")}`, {
    data: { members, step },
  });
}
