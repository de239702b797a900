/**
 * Page of openledger-exit.html, which a person keeps on a disk: asks for the rollup and an Ethereum node, then shows the same
 * panel as the served page (exit-page.tsx).
 */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { useState } from "preact/hooks";
import { isAddress } from "viem";
import { PageBlobs } from "../blobs/page-blobs.ts";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { useAction } from "../ledger/use-action.ts";
import { type FoundWallet, foundWallets } from "../ledger/wallets.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { type Access, type Account, openAccess, openAccount } from "./access.ts";
import { ExitPanel } from "./exit-panel.tsx";
import { embeddedExitTools } from "./exit-tools.ts";

const STORAGE_KEYS = {
  rollup: "openledger.exit.rollup",
  node: "openledger.exit.node",
  archive: "openledger.exit.archive",
  beacon: "openledger.exit.beacon",
} as const;
const stored = (name: keyof typeof STORAGE_KEYS) => localStorage.getItem(STORAGE_KEYS[name]) ?? "";

/** An address that may be left out, as it was typed. */
function optionalUrl(text: string): { readonly url: string | null; readonly problem: string | null } {
  const url = text.trim() === "" ? null : text.trim();
  const isUrl = url === null || (/^https?:\/\//i.test(url) && URL.canParse(url));
  return { url, problem: isUrl ? null : "Write it as https://…" };
}

/** Address of the rollup in the file's own name, else the one that was typed last. */
function knownRollup(): string {
  const [named] = /0x[0-9a-fA-F]{40}/.exec(decodeURIComponent(window.location.pathname)) ?? [];
  return named ?? stored("rollup");
}

export function SingleFilePage() {
  const [rollupText, setRollup] = useState(knownRollup);
  const [nodeText, setNode] = useState(() => stored("node"));
  const [archiveText, setArchive] = useState(() => stored("archive"));
  const [beaconText, setBeacon] = useState(() => stored("beacon"));
  const [access, setAccess] = useState<Access | null>(null);
  const [account, setAccount] = useState<Account | null>(null);
  const asking = useAction();
  const isRollup = isAddress(rollupText, { strict: false });
  const { url: nodeUrl, problem: nodeProblem } = optionalUrl(nodeText);
  const { url: archiveUrl, problem: archiveProblem } = optionalUrl(archiveText);
  const { url: beaconUrl, problem: beaconProblem } = optionalUrl(beaconText);
  const isWritten = [nodeProblem, archiveProblem, beaconProblem].every((problem) => problem === null);

  const open = async (wallet: FoundWallet | null) => {
    if (!isRollup) return null;
    const blobs = new PageBlobs({
      archives: archiveUrl === null ? [] : [archiveUrl],
      beacons: beaconUrl === null ? [] : [beaconUrl],
      startWorker: embeddedExitTools.startBlobCheck,
      remedy:
        "write the address of an archive that has it above: a full node's or a sequencer's. A beacon node has it for 18 days",
    });
    const found = await openAccess(rollupText, nodeUrl, wallet?.provider ?? null, blobs);
    const texts = { rollup: rollupText, node: nodeUrl, archive: archiveUrl, beacon: beaconUrl };
    for (const name of Object.keys(STORAGE_KEYS) as (keyof typeof STORAGE_KEYS)[])
      localStorage.setItem(STORAGE_KEYS[name], texts[name] ?? "");
    if (nodeUrl !== null && found.chainId === DEVNET_CHAIN_ID) {
      const { offerTestWallets } = await import("../ledger/test-wallet.ts");
      await offerTestWallets(nodeUrl);
    }
    setAccess(found);
    return found;
  };
  const ask = () =>
    asking.run(async () => {
      await open(null);
    });
  const connect = (wallet: FoundWallet) =>
    asking.run(async () => {
      const found = access ?? (await open(wallet));
      if (found !== null) setAccount(await openAccount(found, wallet.provider));
    });
  const forget = () => {
    access?.blobs.close();
    setAccess(null);
    setAccount(null);
  };

  return (
    <main id="main" class="frame-main">
      <section class="stack">
        <h1>Leave without the operator</h1>
        <p class="lead">
          This file uses an Ethereum node, your wallet and, if batches are in blobs, an archive. It rebuilds
          the ledger from Ethereum, makes the proofs, and withdraws what you own.
        </p>
      </section>
      <section class="card stack" aria-label="Ethereum">
        <h2>Ethereum</h2>
        <Field
          label="Address of the rollup's contract"
          value={rollupText}
          onInput={(text) => {
            setRollup(text.trim());
            forget();
          }}
          help="Compare it with one from a source you trust. This file's proving keys are checked against the contract before anything is sent."
          problem={rollupText === "" || isRollup ? null : "An address is 0x and 40 hex digits."}
        />
        <Field
          label="Address of an Ethereum node"
          value={nodeText}
          onInput={(text) => {
            setNode(text);
            forget();
          }}
          placeholder="https://…"
          help="Any node with all events since the deployment that allows requests from pages (CORS). If empty: your wallet's node."
          problem={nodeProblem}
        />
        <Field
          label="Address of an archive of blobs"
          value={archiveText}
          onInput={(text) => {
            setArchive(text);
            forget();
          }}
          placeholder="https://…"
          help="Only if the rollup's batches are in blobs: any full node or sequencer. Each blob is checked against Ethereum."
          problem={archiveProblem}
        />
        <Field
          label="Address of a beacon node"
          value={beaconText}
          onInput={(text) => {
            setBeacon(text);
            forget();
          }}
          placeholder="https://…"
          help="For blobs of the last 18 days, where no archive has them. It has to answer pages (CORS)."
          problem={beaconProblem}
        />
        <div class="row">
          <Button
            isMain={access === null}
            isBusy={asking.isBusy}
            isDisabled={!isRollup || nodeUrl === null || !isWritten}
            onClick={() => void ask()}
          >
            Use this node
          </Button>
        </div>
        {asking.problem !== null && <ProblemNotice problem={asking.problem} />}
      </section>
      <WalletPart
        isBusy={asking.isBusy}
        isReady={isRollup && isWritten && (access !== null || nodeUrl === null)}
        account={account}
        onChoose={(wallet) => void connect(wallet)}
      />
      {access !== null && <ExitPanel access={access} account={account} tools={embeddedExitTools} />}
    </main>
  );
}

interface WalletPartProps {
  readonly isBusy: boolean;
  readonly isReady: boolean;
  readonly account: Account | null;
  readonly onChoose: (wallet: FoundWallet) => void;
}

function WalletPart({ isBusy, isReady, account, onChoose }: WalletPartProps) {
  const wallets = foundWallets.value;
  return (
    <section class="card stack" aria-label="Wallet">
      <h2>Wallet</h2>
      {account !== null && (
        <p>
          Connected: <code>{account.address}</code>
        </p>
      )}
      <div class="row">
        {wallets.map((wallet) => (
          <Button key={wallet.id} isBusy={isBusy} isDisabled={!isReady} onClick={() => onChoose(wallet)}>
            {wallet.name}
            {wallet.isTest && <Badge tone="wait">devnet only, public key</Badge>}
          </Button>
        ))}
      </div>
      {wallets.length === 0 && (
        <Notice tone="wait" title="No wallet found.">
          <p>
            Browsers keep wallets away from files on disk unless you allow it. In Chrome, Edge and Brave open
            the wallet's page under “Manage extensions”, switch on “Allow access to file URLs”, and reload.
          </p>
          <p>
            Where that does not help, serve the file from your own machine, with <code>npx http-server</code>{" "}
            for example. On a devnet, ask its node: two test wallets appear here.
          </p>
        </Notice>
      )}
    </section>
  );
}
