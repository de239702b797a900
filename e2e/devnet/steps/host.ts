/**
 * Steps of the devnet's job that put its Datanets on the host: cards, terms and rows. The Datanet of e-mails also gets labels,
 * a review, a published version and an access request, after which mia downloads a copy. job-steps.ts calls them.
 */
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { openRowStore, type RowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { checkFindings, listFindings } from "@openledger/client/datanets/cleaning";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import { nextRows } from "@openledger/client/datanets/label-turns";
import { listAccess, sayRecords, type UnsignedRecord } from "@openledger/client/datanets/signed-records";
import { signTerms } from "@openledger/client/datanets/signed-terms";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { setCard } from "@openledger/client/tasks/publish-card";
import { prepareVersion, publishPrepared } from "@openledger/client/tasks/publish-version";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { CONTRIBUTORS, devnetPaths, PEOPLE, type PersonName } from "../config.ts";
import { BUILDER, LABELLERS, REVIEWER } from "../content/cards.ts";
import { mailFacts } from "../content/mails.ts";
import { type Job, waitWithConsole, withRetry } from "../job.ts";
import { DATANETS, type DatanetPart, type PlannedCommit, stepOf } from "../parts.ts";
import { mineUntilFinal } from "./clock.ts";
import type { Leaves } from "./deposit.ts";

/** Datanet whose rows are labelled and reviewed. */
const MAILS = DATANETS.mails;
/** Rows a labeller requests from the host's queue at once: the host's maximum. */
const QUEUE_ROW_COUNT = 50;
/** Rows a page of a search for disputed rows. */
const PAGE_ROW_COUNT = 200;
/** Duration of the access that alice grants. */
const GRANT_MS = 30 * 86_400_000;

/** Opens a person's own row store. alice's is the one that the command line reads. */
export function storeOf(job: Pick<Job, "store">, name: PersonName): Promise<RowStore> {
  return name === "alice" ? Promise.resolve(job.store) : openRowStore(join(devnetPaths.people, name, "rows"));
}

/** Sets each person's display name, so that pages show names instead of leaf ids. */
export async function nameEverybody(job: Job, leaves: Leaves): Promise<void> {
  const { hostUrl } = job;
  for (const person of PEOPLE) {
    const name = person.charAt(0).toUpperCase() + person.slice(1);
    await withRetry(job, () => setDisplayName(job.people[person], { hostUrl, name, leafId: leaves[person] }));
  }
}

interface Location {
  readonly hostUrl: string;
  readonly datanetId: number;
}

/** Publishes a Datanet's first version, which has its card and no rows. */
export async function publishPartCard(
  job: Job,
  leaves: Leaves,
  part: DatanetPart,
  datanetId: number,
): Promise<void> {
  const { alice } = job.people;
  const card = part.card(leaves);
  const onSigned = (signed: SignedSubmission) => job.journal.set(stepOf(part.name, "publish-card"), signed);
  await withRetry(job, () => setCard(alice, { hostUrl: job.hostUrl, datanetId, card, onSigned }));
  job.console.done(`the card of datanet ${datanetId} is its policy, and on the host at ${job.hostUrl}`);
}

/** Uploads the e-mails, has people label and review them, and publishes the version that follows. */
export async function workOnHost(job: Job, leaves: Leaves, datanetId: number): Promise<void> {
  const location = { hostUrl: job.hostUrl, datanetId };
  await upload(job, leaves, MAILS, location);
  await labelOwn(job, leaves, location);
  await label(job, leaves, location);
  await review(job, leaves, location);
  await publishReviewed(job, leaves, location);
}

/** Uploads the rows and the list of a version that is on the ledger already. */
export async function bringToHost(
  job: Job,
  leaves: Leaves,
  part: DatanetPart,
  datanetId: number,
): Promise<void> {
  const { alice } = job.people;
  const location = { hostUrl: job.hostUrl, datanetId };
  await untilFinal(job, job.journal.get<SignedSubmission>(stepOf(part.name, "publish-version"))!.hash);
  await upload(job, leaves, part, location);
  const { datanet } = await withRetry(job, () => getLeaf(alice, datanetId));
  const { rowsRoot } = datanet!;
  await withRetry(job, () =>
    bringVersion(alice, { ...location, store: job.store, rowsRoot, from: leaves.alice }),
  );
}

/** Waits until an operation is final: a host takes rows once nobody else can commit them first. */
export async function untilFinal(job: Job, hash: `0x${string}`): Promise<void> {
  const { alice } = job.people;
  const { stage } = await waitWithConsole(job, alice, { hash }, "posted", "the commits");
  if (stage !== "final") await mineUntilFinal(job);
  await waitWithConsole(job, alice, { hash }, "final", "the commits");
}

/** Contributors sign the card's terms for each commit, and upload its rows. */
async function upload(job: Job, leaves: Leaves, part: DatanetPart, location: Location): Promise<void> {
  const startedAtMs = Date.now();
  const { datanetId } = location;
  const card = part.card(leaves);
  let rowCount = 0;
  await eachContributor(job, part, async ({ contributor: name, rows }) => {
    const [client, from] = [job.people[name], leaves[name]];
    const store = part.isLabelled ? await storeOf(job, name) : job.store;
    const { rowsRoot } = await storeContribution(store, rows);
    const terms = await signTerms(client, { datanetId, rowsRoot, card, from });
    const source = { ...(await contributionSource(store, rowsRoot)), terms };
    await withRetry(job, () => uploadRows(client, { ...location, source, from }));
    rowCount += rows.length;
  });
  job.console.done(
    `${CONTRIBUTORS.join(", ")} sign the card's terms and upload ${rowCount} ${part.rowNoun} to the host, now that no other account can commit them first`,
    Date.now() - startedAtMs,
  );
}

/** Runs `work` for each commit: contributors at the same time, the commits of one contributor in order. */
async function eachContributor(
  job: Job,
  part: DatanetPart,
  work: (commit: PlannedCommit) => Promise<void>,
): Promise<void> {
  const commits = part.commits(job.plan);
  await Promise.all(
    CONTRIBUTORS.map(async (name) => {
      for (const commit of commits.filter(({ contributor }) => contributor === name)) {
        job.signal.throwIfAborted();
        await work(commit);
      }
    }),
  );
}

/** Journal entry: contributors have signed their labels. */
const OWN_LABELS = "own-labels";

/** Contributors sign the labels of their own rows. */
async function labelOwn(job: Job, leaves: Leaves, location: Location): Promise<void> {
  if (job.journal.get<boolean>(OWN_LABELS) === true) return;
  const startedAtMs = Date.now();
  let labelCount = 0;
  await eachContributor(job, MAILS, async ({ contributor: name, labels, rows }) => {
    const records = rows.map((content, i): UnsignedRecord => {
      const row = bytesToHex(sha256(content));
      return { kind: "label", row, label: labels![i]!, flags: [], note: "" };
    });
    await sendRecords(job, job.people[name], leaves[name], location, records);
    labelCount += records.length;
  });
  await job.journal.set(OWN_LABELS, true);
  job.console.done(
    `${CONTRIBUTORS.join(", ")} sign ${labelCount} labels of their own rows`,
    Date.now() - startedAtMs,
  );
}

/** Labels all rows. It can be repeated after a kill: the host's queue gives nobody a row that they have labelled. */
async function label(job: Job, leaves: Leaves, location: Location): Promise<void> {
  const startedAtMs = Date.now();
  const facts = mailFacts(job.plan);
  let labelCount = 0;
  // Not side by side: the queue passes over rows that it hands to somebody else at the moment.
  for (const name of LABELLERS) {
    const client = job.people[name];
    for (;;) {
      job.signal.throwIfAborted();
      const { rows } = await withRetry(job, () =>
        nextRows(client, { ...location, limit: QUEUE_ROW_COUNT, from: leaves[name] }),
      );
      if (rows.length === 0) break;
      await sendRecords(
        job,
        client,
        leaves[name],
        location,
        rows.map(({ digest: row }): UnsignedRecord => {
          const { isDisputed, right, wrong } = facts.get(row)!;
          // walt labels disputed rows wrongly, so that there is something to review.
          const label = name === "walt" && isDisputed ? wrong : right;
          return { kind: "label", row, label, flags: [], note: "" };
        }),
      );
      labelCount += rows.length;
      job.console.progress(`${name} labels: ${labelCount} labels`);
    }
  }
  job.console.done(`${LABELLERS.join(", ")} sign ${labelCount} labels`, Date.now() - startedAtMs);
}

/** alice decides disputed rows, has the host check all rows, and signs which rows are left out and which commits are approved. */
async function review(job: Job, leaves: Leaves, location: Location): Promise<void> {
  const startedAtMs = Date.now();
  const client = job.people[REVIEWER];
  const from = leaves[REVIEWER];
  const facts = mailFacts(job.plan);
  const disputes: UnsignedRecord[] = [];
  let next: number | null = null;
  do {
    const page: Awaited<ReturnType<typeof findRows>> = await withRetry(job, () =>
      findRows(client, {
        ...location,
        state: "disputed",
        limit: PAGE_ROW_COUNT,
        isSigned: true,
        from,
        ...(next === null ? {} : { after: next }),
      }),
    );
    for (const { digest: row } of page.rows) {
      const { right } = facts.get(row)!;
      disputes.push({ kind: "settle", row, label: right, note: "read again, from its header on" });
    }
    next = page.next;
  } while (next !== null);
  await sendRecords(job, client, from, location, disputes);
  await job.journal.set("disputed-rows", (job.journal.get<number>("disputed-rows") ?? 0) + disputes.length);
  await withRetry(job, () => checkFindings(client, { ...location, from }));
  const { findings } = await withRetry(job, () => listFindings(client, { ...location, state: "open", from }));
  const leftOut = new Map<string, UnsignedRecord>();
  for (const { evidence, kind, row } of findings) {
    if (kind === "contradicted-label" && evidence.by === "labellers")
      leftOut.set(row, { kind: "leaveOut", row, isLeftOut: true, why: "wrong-label", note: evidence.detail });
    if (kind === "near-duplicate" && !leftOut.has(row))
      leftOut.set(row, { kind: "leaveOut", row, isLeftOut: true, why: kind, note: evidence.detail });
  }
  const roots = await Promise.all(
    MAILS.commits(job.plan).map(async ({ contributor, rows }) => {
      const { rowsRoot } = await storeContribution(await storeOf(job, contributor), rows);
      return hex32(rowsRoot);
    }),
  );
  const verdicts = roots.map(
    (commit): UnsignedRecord => ({ kind: "verdict", commit, verdict: "approve", note: "" }),
  );
  await sendRecords(job, client, from, location, [...leftOut.values(), ...verdicts]);
  job.console.done(
    `${REVIEWER} settles ${disputes.length} rows on which the labellers differ; of ${findings.length} findings she leaves ${leftOut.size} rows out, each by her signature`,
    Date.now() - startedAtMs,
  );
}

async function publishReviewed(job: Job, leaves: Leaves, location: Location): Promise<void> {
  const startedAtMs = Date.now();
  const { alice } = job.people;
  const { datanetId } = location;
  const from = leaves.alice;
  const key = stepOf(MAILS.name, "publish-version");
  const rule = { by: "records", hostUrl: location.hostUrl } as const;
  await withRetry(job, async () => {
    const prepared = await prepareVersion(alice, { datanetId, from, rule, store: job.store });
    await publishPrepared(alice, {
      ...{ ...location, from, prepared, store: job.store },
      onSigned: (signed) => job.journal.set(key, signed),
      wait: ({ hash }) => waitWithConsole(job, alice, { hash }, "acknowledged", "the version"),
    });
  });
  const { hash } = job.journal.get<SignedSubmission>(key)!;
  job.console.done(
    `alice publishes the reviewed version of datanet ${datanetId}: operation ${hash}`,
    Date.now() - startedAtMs,
  );
}

/** mia is refused the rows, requests access with a purpose, gets it, and downloads the rows into a folder of her own. */
export async function getAccess(job: Job, leaves: Leaves, datanetId: number): Promise<void> {
  const location = { hostUrl: job.hostUrl, datanetId };
  const client = job.people[BUILDER];
  const from = leaves[BUILDER];
  const store = await storeOf(job, BUILDER);
  const download = () => downloadVersion(client, { ...location, store, from });
  const own = async () =>
    (await withRetry(job, () => listAccess(client, location))).requests.find(({ leafId }) => leafId === from);
  if ((await own()) === undefined) {
    const refusal = await download().then(
      () => null,
      (error: unknown) => (isRollupError(error) ? error.code : String(error)),
    );
    await job.journal.set("access-refusal", refusal);
    await sendRecords(job, client, from, location, [
      { kind: "accessRequest", purpose: "a filter of spam, as model of the devnet" },
    ]);
  }
  const request = (await own())!;
  if (request.answer === null) {
    const untilMs = Date.now() + GRANT_MS;
    const answer: UnsignedRecord = {
      kind: "accessAnswer",
      request: request.id,
      answer: "grant",
      untilMs,
      note: "gladly",
    };
    await sendRecords(job, job.people.alice, datanetId, location, [answer]);
  }
  const { receivedCount, rowCount } = await withRetry(job, download);
  await withRetry(job, () => downloadCommits(client, { ...location, store, from }));
  job.console.done(
    `${BUILDER} asks for access, alice grants it for 30 days; ${rowCount} rows of the version are in a folder of her own (${receivedCount} came now)`,
  );
}

/** Signs and sends records to the host. @throws the first refusal, as an error */
async function sendRecords(
  job: Job,
  client: Job["people"][PersonName],
  from: number,
  location: Location,
  records: readonly UnsignedRecord[],
): Promise<void> {
  const results = await withRetry(job, () => sayRecords(client, { ...location, from, records }));
  const refused = results.find(({ error }) => error !== null);
  if (refused !== undefined) throw new Error(`${refused.error!.code}: ${refused.error!.message}`);
}
