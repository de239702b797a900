/**
 * `openledger datanet card`, `find`, `upload` and `download`: cards and rows between this machine and a Datanet host. Rows pass
 * through a store on disk.
 */
import { passedOverLines } from "@openledger/client/actions/data/committed-rows";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { readVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, type RowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { labelledCount } from "@openledger/client/actions/data/stored-labels";
import { storeSignedTerms } from "@openledger/client/actions/data/stored-terms";
import { cardOfVersion, findDatanets, getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import {
  type CollectLabelsReturnType,
  collectLabels,
  downloadLabels,
} from "@openledger/client/datanets/reviewed-version";
import { signTerms } from "@openledger/client/datanets/signed-terms";
import { droppedLines } from "@openledger/client/datanets/sound-records";
import {
  contributionSource,
  type UploadRowsReturnType,
  uploadRows,
} from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { delegateLines } from "@openledger/client/safe/leaf-owner";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { setCard } from "@openledger/client/tasks/publish-card";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { VERSION_OPTION } from "../../cli/common-options.ts";
import {
  accountOf,
  type GlobalOptions,
  knownDatanetHost,
  openReader,
  openSigner,
  signFor,
} from "../../cli/context.ts";
import { defineOptions } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readJsonFile } from "../../cli/read-text-file.ts";
import { command } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { agreedCard, requireTermsOfNew, TERMS_OPTION } from "./card-terms.ts";
import {
  ANY_HOST_OPTION,
  HOST_OPTION,
  readerOrSigner,
  signerClient,
  UNSIGNED_OPTION,
  unsignedOf,
} from "./host-options.ts";

const STORE_OPTION = defineOptions({
  "--rows <folder>": { about: "folder of the row store", fallback: workspacePaths.rows },
});

/** Refused labels of a commit in the answer; `--json` has all. */
const SHOWN_REFUSALS = 10;

/** Commands that send to a Datanet host and fetch from it. */
export function addHostCommands(datanet: Command): void {
  addCard(datanet);
  addFind(datanet);
  addUpload(datanet);
  addDownload(datanet);
}

const addCard = command({
  usage: "card <datanet-or-file> [file]",
  about:
    "show a Datanet's card on a host; with an id and a file, set the card: on the ledger, by a new version of the same rows, and on the host. A file alone is checked, and its hash printed",
  options: {
    ...ANY_HOST_OPTION,
    "--without-terms":
      "set a card without terms that contributors sign: no licence of a model follows from its rows",
  },
  examples: [
    "datanet card card.json",
    "datanet card 10",
    "datanet card 10 card.json --host http://127.0.0.1:8560 --account alice",
  ],
  run: async ({ args, options, output }) => {
    const [location, file] = args as [string, string | undefined];
    if (!/^\d+$/.test(location)) return checkCard(location, output);
    const hostUrl = options.host ?? knownDatanetHost();
    if (hostUrl === undefined)
      throw commandError("CMD_USAGE", "say which host with --host URL: it has the card");
    const target = { hostUrl, datanetId: parseId(location) };
    if (file !== undefined) return giveCard(options, target, file, output);
    const reader = await openReader(options);
    const facts = await getHostedDatanet(reader, target);
    output.answer(
      [
        JSON.stringify(facts.card, null, 2),
        facts.isCardCurrent ? "the ledger's card" : "an older card: the ledger's is not on this host",
        ...(await delegateLines(reader, [facts.id])),
      ],
      facts,
    );
  },
});

async function checkCard(path: string, output: Output): Promise<void> {
  const { card, policy } = nameCard(await readCardFile(path));
  output.answer([`${card.name}: a card of hash ${hex32(policy)}`], { name: card.name, policy });
}

async function giveCard(
  options: GlobalOptions & { readonly withoutTerms?: boolean },
  target: { readonly hostUrl: string; readonly datanetId: number },
  path: string,
  output: Output,
): Promise<void> {
  const { datanetId } = target;
  const card = await readCardFile(path);
  const signer = await openSigner(options);
  const client = await signFor(signer, await getLeaf(signer.client, datanetId));
  const { policy, sent } = await setCard(client, {
    ...{ ...target, card },
    onNew: (one) => requireTermsOfNew(one, options.withoutTerms === true),
  });
  const outcome = sent === null ? "was the ledger's already" : `operation ${sent.hash}`;
  output.answer([`datanet ${datanetId} has the card ${hex32(policy)} (${outcome})`], {
    datanetId,
    policy,
    hash: sent?.hash ?? null,
  });
}

const addFind = command({
  usage: "find [text]",
  about: "search a host's Datanets by words, tag or field",
  options: {
    ...HOST_OPTION,
    "--tag <tag>": "only Datanets with this tag",
    "--field <field>": "only Datanets of this field",
  },
  examples: ["datanet find weather --host http://127.0.0.1:8560"],
  run: async ({ args, options, output }) => {
    const client = await openReader(options);
    const { field, host, tag } = options;
    const [text] = args;
    const found = await findDatanets(client, {
      hostUrl: host,
      ...(text === undefined ? {} : { text }),
      ...(tag === undefined ? {} : { tag }),
      ...(field === undefined ? {} : { field }),
    });
    output.answer(
      [
        counted(found.total, "Datanet"),
        ...renderTable(
          found.datanets.map(({ access, here, id, licence, name, version }) => [
            `  ${id}`,
            name,
            `version ${version}`,
            `${counted(here.rowCount, "row")} here`,
            licence,
            access.kind === "public"
              ? "public"
              : `permissioned, ${access.unansweredCount} requests unanswered`,
          ]),
        ),
      ],
      found,
    );
  },
});

const addUpload = command({
  usage: "upload <datanet>",
  about:
    "upload rows of final commits from the store to a host, with your labels, or mirror another host; resumes after an interruption",
  options: {
    ...HOST_OPTION,
    "--root <root>": "only the commit with this root; default: every commit whose rows are in the store",
    "--from <url>": "mirror the rows, versions and records of the host at this URL",
    ...TERMS_OPTION,
    ...STORE_OPTION,
  },
  examples: [
    "datanet upload 10 --host http://127.0.0.1:8560 --account bob",
    "datanet upload 10 --from http://127.0.0.1:8560 --host http://127.0.0.1:8561 --account bob",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    if (options.from !== undefined) {
      if (options.root !== undefined)
        throw commandError("CMD_USAGE", "--root is of the store; a mirror has all that --from shows");
      return mirror({ ...options, from: options.from }, datanetId, output);
    }
    const signer = await openSigner(options);
    const account = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, account);
    const store = await openRowStore(options.rows);
    const location = { hostUrl: options.host, datanetId };
    const commits: (UploadRowsReturnType & { readonly rowsRoot: string })[] = [];
    const agreed =
      options.terms === undefined
        ? undefined
        : agreedCard(datanetId, await cardOfVersion(client, location, 0n), options.terms);
    let absentCount = 0;
    for (const { contributorId, rowsRoot } of await listCommits(client, datanetId)) {
      if (options.root !== undefined && BigInt(options.root) !== rowsRoot) continue;
      const isHere = await readContribution(store, rowsRoot).catch((error: unknown) => {
        if (isRollupError(error, "CLI_ROWS_MISSING")) return null;
        throw error;
      });
      if (isHere === null) {
        absentCount += 1;
        continue;
      }
      if (agreed !== undefined && contributorId === account.id)
        await storeSignedTerms(
          store,
          rowsRoot,
          await signTerms(client, { datanetId, rowsRoot, card: agreed }),
        );
      const sent = await uploadRows(client, {
        ...location,
        source: await contributionSource(store, rowsRoot),
        onProgress: (received, rowCount) => output.progress(`${received} of ${counted(rowCount, "row")}`),
      });
      commits.push({ rowsRoot: hex32(rowsRoot), ...sent });
    }
    output.answer(
      [
        ...renderTable(
          commits.map((one) => [
            `  ${one.rowsRoot}`,
            counted(one.rowCount, "row"),
            `${one.sentCount} sent now`,
            counted(one.labelCount, "label"),
            one.withdrawnCount === 0
              ? ""
              : `${counted(one.withdrawnCount, "row")} withdrawn by their contributors`,
          ]),
        ),
        ...renderTable(
          commits.flatMap(({ refusedLabels }) =>
            refusedLabels
              .slice(0, SHOWN_REFUSALS)
              .map(({ digest, error }) => [`  label of ${digest}`, error.code, error.message]),
          ),
        ),
        `${commits.length} commits are on ${options.host}; the store has not the rows of ${absentCount}`,
      ],
      { datanetId, commits, absentCount },
    );
  },
});

const addDownload = command({
  usage: "download <datanet>",
  about:
    "download a version with its accepted labels from a host into the store, and check it against the ledger's root",
  options: {
    ...HOST_OPTION,
    ...UNSIGNED_OPTION,
    ...VERSION_OPTION,
    "--commits": "also committed rows that are in no version, which `datanet verify` needs",
    ...STORE_OPTION,
  },
  examples: [
    "datanet download 10 --host http://127.0.0.1:8560",
    "datanet download 10 --host http://127.0.0.1:8560 --version-number 2 --account bob",
  ],
  run: async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await readerOrSigner(options);
    const store = await openRowStore(options.rows);
    const location = { hostUrl: options.host, datanetId, store };
    const { versionNumber } = options;
    const got = await downloadVersion(client, {
      ...location,
      ...(versionNumber === undefined ? {} : { version: parseId(versionNumber) }),
      onProgress: (done, rowCount) => output.progress(`${done} of ${counted(rowCount, "row")}`),
    });
    const { dropped, isStored, labels, root } = await labelsOf(client, location, got.rowsRoot, options);
    const { commits, passedOver } =
      options.commits === true ? await downloadCommits(client, location) : { commits: [], passedOver: [] };
    const labelCount = labelledCount({ labels });
    output.answer(
      [
        `version ${got.version} of datanet ${datanetId}: ${counted(got.rowCount, "row")} in ${options.rows}, ${got.receivedCount} of them new`,
        `its root is the ledger's: ${hex32(got.rowsRoot)}`,
        `${labelCount} rows have an accepted label by the signed records; the labels' root is ${hex32(root)}`,
        ...(got.withdrawn.length === 0
          ? []
          : [
              `${counted(got.withdrawn.length, "row has", "rows have")} no bytes, withdrawn by their contributors since; what needs them says so:`,
              ...got.withdrawn.map(({ contributorId, digest }) => `  ${digest} by leaf ${contributorId}`),
            ]),
        ...(got.refused.length === 0
          ? []
          : [
              `${counted(got.refused.length, "row has", "rows have")} no bytes either: the host says withdrawn, by a key that the contributor no longer has`,
            ]),
        ...passedOverLines(passedOver),
        ...droppedLines(dropped),
        ...(isStored
          ? []
          : ["so the labels are not in the store: --without-unsigned stores those of the signed records"]),
      ],
      {
        datanetId,
        ...got,
        rowsRoot: hex32(got.rowsRoot),
        withdrawn: got.withdrawn.map(({ digest }) => digest),
        droppedCount: dropped.length,
        areLabelsStored: isStored,
        labelledCount: labelCount,
        labelsRoot: hex32(root),
        commitCount: commits.length,
        passedOver: passedOver.map(({ rowsRoot, ...commit }) => ({ ...commit, rowsRoot: hex32(rowsRoot) })),
      },
    );
  },
});

/** Accepted labels by the signed records, stored for a training unless the host shows records that nobody has signed. */
async function labelsOf(
  client: LedgerClient,
  { store, ...location }: HostedDatanetLocation & { store: RowStore },
  rowsRoot: bigint,
  options: { readonly withoutUnsigned?: boolean },
): Promise<CollectLabelsReturnType & { isStored: boolean }> {
  try {
    const labels = await downloadLabels(client, { ...location, store, rowsRoot, ...unsignedOf(options) });
    return { ...labels, isStored: true };
  } catch (error) {
    if (!isRollupError(error, "CLI_RECORDS_UNSIGNED")) throw error;
    const { rows } = await readVersion(store, rowsRoot);
    const labels = await collectLabels(client, { ...location, rows, withoutUnsigned: true });
    return { ...labels, isStored: false };
  }
}

async function mirror(
  options: GlobalOptions & { readonly host: string; readonly from: string; readonly rows: string },
  datanetId: number,
  output: Output,
): Promise<void> {
  const client = await signerClient(options, null);
  const { dropped, ...result } = await mirrorDatanet(client, {
    datanetId,
    fromUrl: options.from,
    toUrl: options.host,
    store: await openRowStore(options.rows),
    onProgress: (step) => output.progress(step),
  });
  const { commitCount, incompleteCount, recordCount, refusedCount, versionCount } = result;
  output.answer(
    [
      `${counted(commitCount, "commit")}, ${counted(versionCount, "version")} and ${counted(recordCount - refusedCount, "record")} of datanet ${datanetId} are on ${options.host}`,
      `${incompleteCount} commits are incomplete on ${options.from}; ${refusedCount} records were not taken`,
      ...droppedLines(dropped),
    ],
    { datanetId, ...result, droppedCount: dropped.length },
  );
}

/** A card as somebody wrote it: `nameCard` checks it and spells it canonically. @throws CMD_USAGE */
export const readCardFile = async (path: string): Promise<Card> => (await readJsonFile(path)) as Card;
