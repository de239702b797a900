import { readFile } from "node:fs/promises";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import {
  bringCard,
  findDatanets,
  getHostedDatanet,
  publishCard,
} from "@openledger/client/datanets/datanet-card";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import { mirrorDatanet } from "@openledger/client/datanets/mirror-datanet";
import { collectReviewed, verifyVouching } from "@openledger/client/datanets/reviewed-version";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { type Card, nameCard } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Command } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { VERSION_OPTION } from "../../cli/common-options.ts";
import { accountOf, openReader, openSigner, signFor } from "../../cli/context.ts";
import { defineOptions, withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { onRun, WAIT_OPTION, waitWithProgress, withExample } from "../../cli/run-command.ts";
import { workspacePaths } from "../../cli/workspace.ts";
import { HOST_OPTION, readerOrSigner, signerClient } from "./host-options.ts";

const STORE_OPTION = defineOptions({
  "--rows <folder>": { about: "the store that holds the rows", fallback: workspacePaths.rows },
});

/** What goes to a Datanet host and comes from it. */
export function addHostCommands(datanet: Command): void {
  addCard(datanet);
  addFind(datanet);
  addUpload(datanet);
  addDownload(datanet);
  addMirror(datanet);
  addPublishReviewed(datanet);
  addVouching(datanet);
}

function addCard(parent: Command): void {
  const card = parent
    .command("card")
    .description("what a Datanet is about: its hash is the Datanet's policy");
  withExample(card, "datanet card check card.json");

  const check = card.command("check <file>").description("whether a file is a card, and its hash");
  withExample(check, "datanet card check card.json");
  onRun(check, async ({ args, output }) => {
    const named = nameCard(await readCardFile(args[0]!));
    output.answer([`${named.card.name}: a card of hash ${hex32(named.policy)}`], {
      name: named.card.name,
      policy: named.policy,
    });
  });

  const show = withOptions(card.command("show <datanet>").description("the card that a host has"), {
    ...HOST_OPTION,
  });
  withExample(show, "datanet card show 10 --host http://127.0.0.1:8560");
  onRun(show, async ({ args, options, output }) => {
    const client = await openReader(options);
    const place = { hostUrl: options.host, datanetId: parseId(args[0]!) };
    const facts = await getHostedDatanet(client, place);
    output.answer(
      [
        JSON.stringify(facts.card, null, 2),
        facts.isCardCurrent ? "the ledger's card" : "an older card: the ledger's is not on this host",
      ],
      facts,
    );
  });

  const publish = withOptions(
    card
      .command("publish <datanet> <file>")
      .description(
        "make a card the Datanet's on the ledger, a new version of the same rows, and bring it to a host",
      ),
    { ...HOST_OPTION },
  );
  withExample(publish, "datanet card publish 10 card.json --host http://127.0.0.1:8560 --account alice");
  onRun(publish, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const card = await readCardFile(args[1]!);
    const { policy } = nameCard(card);
    const signer = await openSigner(options);
    const datanet = await getLeaf(signer.client, datanetId);
    const client = await signFor(signer, datanet);
    // Already the ledger's: a host that lost it gets it again, and no new version is made.
    const sent = datanet.datanet?.policy === policy ? null : await publishCard(client, { datanetId, card });
    await bringCard(client, { hostUrl: options.host, datanetId, card });
    const said = sent === null ? "was the ledger's already" : `operation ${sent.hash}`;
    output.answer([`datanet ${datanetId} has the card ${hex32(policy)} (${said})`], {
      datanetId,
      policy,
      hash: sent?.hash ?? null,
    });
  });
}

function addFind(parent: Command): void {
  const command = withOptions(
    parent.command("find [text]").description("Datanets of a host, by words, tag or field"),
    { ...HOST_OPTION, "--tag <tag>": "only with this tag", "--field <field>": "only of this field" },
  );
  withExample(command, "datanet find spam --host http://127.0.0.1:8560");
  onRun(command, async ({ args, options, output }) => {
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
        `${found.total} Datanets`,
        ...renderTable(
          found.datanets.map(({ access, here, id, licence, name, version }) => [
            `  ${id}`,
            name,
            `version ${version}`,
            `${here.rowCount} rows here`,
            licence,
            access.kind === "public"
              ? "public"
              : `permissioned, ${access.unansweredCount} requests unanswered`,
          ]),
        ),
      ],
      found,
    );
  });
}

function addUpload(parent: Command): void {
  const command = withOptions(
    parent
      .command("upload <datanet>")
      .description("bring the rows of final commits from the store to a host; goes on where it broke off"),
    {
      ...HOST_OPTION,
      "--root <root>": "of this commit alone; default: of every commit whose rows are in the store",
      ...STORE_OPTION,
    },
  );
  withExample(command, "datanet upload 10 --host http://127.0.0.1:8560 --account bob");
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const signer = await openSigner(options);
    const account = await accountOf(signer.client, signer.account.l1.address);
    const client = await signFor(signer, account);
    const store = await openRowStore(options.rows);
    const place = { hostUrl: options.host, datanetId };
    const commits: { rowsRoot: string; rowCount: number; sentCount: number }[] = [];
    let absentCount = 0;
    for (const { rowsRoot } of await listCommits(client, datanetId)) {
      if (options.root !== undefined && BigInt(options.root) !== rowsRoot) continue;
      const isHere = await readContribution(store, rowsRoot).catch((error: unknown) => {
        if (isRollupError(error, "CLI_ROWS_MISSING")) return null;
        throw error;
      });
      if (isHere === null) {
        absentCount += 1;
        continue;
      }
      const sent = await uploadRows(client, {
        ...place,
        source: await contributionSource(store, rowsRoot),
        onProgress: (received, rowCount) => output.progress(`${received} of ${rowCount} rows`),
      });
      commits.push({ rowsRoot: hex32(rowsRoot), ...sent });
    }
    output.answer(
      [
        ...renderTable(
          commits.map((one) => [`  ${one.rowsRoot}`, `${one.rowCount} rows`, `${one.sentCount} sent now`]),
        ),
        `${commits.length} commits are on ${options.host}; the store has not the rows of ${absentCount}`,
      ],
      { datanetId, commits, absentCount },
    );
  });
}

function addDownload(parent: Command): void {
  const command = withOptions(
    parent
      .command("download <datanet>")
      .description(
        "bring a version from a host into the store, every byte checked against the ledger's root",
      ),
    {
      ...HOST_OPTION,
      ...VERSION_OPTION,
      "--commits": "also everything that was committed and is in no version, as `datanet verify` needs it",
      ...STORE_OPTION,
    },
  );
  withExample(
    command,
    "datanet download 10 --host http://127.0.0.1:8560",
    "datanet download 10 --host http://127.0.0.1:8560 --version-number 2 --account bob",
  );
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await readerOrSigner(options);
    const store = await openRowStore(options.rows);
    const place = { hostUrl: options.host, datanetId, store };
    const { versionNumber } = options;
    const got = await downloadVersion(client, {
      ...place,
      ...(versionNumber === undefined ? {} : { version: parseId(versionNumber) }),
      onProgress: (done, rowCount) => output.progress(`${done} of ${rowCount} rows`),
    });
    const commits = options.commits === true ? await downloadCommits(client, place) : [];
    output.answer(
      [
        `version ${got.version} of datanet ${datanetId}: ${got.rowCount} rows in ${options.rows}, ${got.receivedCount} of them new`,
        `its root is the ledger's: ${hex32(got.rowsRoot)}`,
      ],
      { datanetId, ...got, rowsRoot: hex32(got.rowsRoot), commitCount: commits.length },
    );
  });
}

function addMirror(parent: Command): void {
  const command = withOptions(
    parent
      .command("mirror <datanet>")
      .description(
        "bring all that a host shows of a Datanet to another one, which checks it against the ledger",
      ),
    {
      "--from <url>": { about: "the host that has it", isRequired: true },
      "--to <url>": { about: "the host that shall have it", isRequired: true },
      ...STORE_OPTION,
    },
  );
  withExample(
    command,
    "datanet mirror 10 --from http://127.0.0.1:8560 --to http://127.0.0.1:8561 --account bob",
  );
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await signerClient(options, null);
    const result = await mirrorDatanet(client, {
      datanetId,
      fromUrl: options.from,
      toUrl: options.to,
      store: await openRowStore(options.rows),
      onProgress: (step) => output.progress(step),
    });
    const { commitCount, incompleteCount, recordCount, refusedCount, versionCount } = result;
    output.answer(
      [
        `${commitCount} commits, ${versionCount} versions and ${recordCount - refusedCount} records of datanet ${datanetId} are on ${options.to}`,
        `${incompleteCount} commits are not whole on ${options.from}; ${refusedCount} records were not taken`,
      ],
      { datanetId, ...result },
    );
  });
}

function addPublishReviewed(parent: Command): void {
  const command = withOptions(
    parent
      .command("publish-reviewed <datanet>")
      .description(
        "publish what labels, reviews and approvals of a host make of all rows, and bring its list there",
      ),
    { ...HOST_OPTION, ...STORE_OPTION, ...WAIT_OPTION },
  );
  withExample(command, "datanet publish-reviewed 10 --host http://127.0.0.1:8560 --account alice");
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const signer = await openSigner(options);
    const client = await signFor(signer, await getLeaf(signer.client, datanetId));
    const store = await openRowStore(options.rows);
    const place = { hostUrl: options.host, datanetId, store };
    output.progress("bringing rows and records");
    await downloadCommits(client, place);
    const { leftOut, version } = await collectReviewed(client, place);
    await storeVersion(store, version);
    const sent = await publishVersion(client, { datanetId, version });
    const { stage } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    await bringVersion(client, { ...place, rowsRoot: version.rowsRoot });
    output.answer(
      [
        `datanet ${datanetId}: a version of ${version.rowCount} rows in ${version.earners.length} earners (${stage}); ${leftOut.length} rows stay out:`,
        ...renderTable(
          leftOut.map(({ contributorId, digest, why }) => [`  ${digest}`, `leaf ${contributorId}`, why]),
        ),
      ],
      {
        ...{ ...sent, datanetId, rowCount: version.rowCount, stage, leftOut },
        rowsRoot: hex32(version.rowsRoot),
      },
    );
  });
}

const VOUCHING = {
  former: "signed by a key that it had before",
  missing: "has not signed",
  notDrawn: "is not the one that the hash draws",
  contradicted: "the row says another label than the accepted one",
};

function addVouching(parent: Command): void {
  const command = withOptions(
    parent
      .command("vouching <datanet>")
      .description(
        "whether every row's validator has signed for it; run `datanet download --commits` before",
      ),
    { ...HOST_OPTION, ...STORE_OPTION },
  );
  withExample(command, "datanet vouching 10 --host http://127.0.0.1:8560");
  onRun(command, async ({ args, options, output }) => {
    const datanetId = parseId(args[0]!);
    const client = await openReader(options);
    const store = await openRowStore(options.rows);
    const result = await verifyVouching(client, { hostUrl: options.host, datanetId, store });
    output.answer(
      [
        `${result.signedCount} of ${result.rowCount} rows are signed for by their validators`,
        ...renderTable(
          result.exceptions.map(({ digest, validatorId, vouching }) => [
            `  ${digest}`,
            `leaf ${validatorId}`,
            VOUCHING[vouching],
          ]),
        ),
      ],
      { datanetId, ...result },
    );
  });
}

/** A card as somebody wrote it: `nameCard` checks it and spells it canonically. @throws CMD_USAGE */
export async function readCardFile(path: string): Promise<Card> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Card;
  } catch (cause) {
    throw commandError("CMD_USAGE", `${path} is no JSON file`, { cause });
  }
}
