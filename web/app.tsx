/** The frame around every page: name, pages, wallet, and what is wrong everywhere. */
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { BridgePage } from "./bridge/bridge-page.tsx";
import { WalletMenu } from "./bridge/wallet-menu.tsx";
import { Badge } from "./design/badge.tsx";
import { Notice } from "./design/notice.tsx";
import { Nav } from "./design/tabs.tsx";
import { EarningsPage } from "./earnings/earnings-page.tsx";
import { ExitPage } from "./exit/exit-page.tsx";
import { AddressPage } from "./explorer/address-page.tsx";
import { BatchPage } from "./explorer/batch-page.tsx";
import { BatchesPage } from "./explorer/batches-page.tsx";
import { LeafPage } from "./explorer/leaf-page.tsx";
import { OperationPage } from "./explorer/operation-page.tsx";
import { QueuePage } from "./explorer/queue-page.tsx";
import { SettlementPage } from "./explorer/settlement-page.tsx";
import { lazyPage } from "./lazy-page.tsx";
import { loadJourneys } from "./ledger/journey-store.ts";
import { lookAfter } from "./ledger/journey-watch.ts";
import { L1_STALL_MS, type Link, type Live } from "./ledger/live.ts";
import type { PageProps } from "./ledger/page.ts";
import { connect, session, wasConnected } from "./ledger/session.ts";
import type { Site } from "./ledger/site.ts";
import { foundWallets } from "./ledger/wallets.ts";
import markUrl from "./mark.svg";
import { OverviewPage } from "./overview/overview-page.tsx";
import { route } from "./routes.ts";
import { showDuration } from "./words/format.ts";
import { ProblemNotice } from "./words/problem.tsx";

interface PageEntry {
  readonly name: string;
  readonly label: string;
  /** The page in the menu that this one belongs to; absent where it is there itself. */
  readonly under?: string;
  /** Its parts have addresses, and it stays as they change. */
  readonly isOne?: boolean;
  readonly show: (props: PageProps) => VNode;
}

const AdaptersPage = lazyPage(async () => (await import("./adapters/adapters-page.tsx")).AdaptersPage);
const AnswerPage = lazyPage(async () => (await import("./answer/answer-page.tsx")).AnswerPage);
const AskPage = lazyPage(async () => (await import("./ask/ask-page.tsx")).AskPage);
const DatanetsPage = lazyPage(async () => (await import("./datanets/datanets-page.tsx")).DatanetsPage);
const FactoryPage = lazyPage(async () => (await import("./factory/factory-page.tsx")).FactoryPage);
const HealthPage = lazyPage(async () => (await import("./health/health-page.tsx")).HealthPage);

const VotesPage = lazyPage(async () => (await import("./votes/votes-page.tsx")).VotesPage);

/** Every page: its address, its name in the menu, and what shows it. */
const PAGES: readonly PageEntry[] = [
  { name: "", label: "Overview", show: OverviewPage },
  { name: "bridge", label: "Bridge", show: BridgePage },
  { name: "ask", label: "Ask", show: AskPage },
  { name: "datanets", label: "Datanets", isOne: true, show: DatanetsPage },
  { name: "factory", label: "Factory", show: FactoryPage },
  { name: "earnings", label: "Earnings", show: EarningsPage },
  { name: "batches", label: "Explorer", show: BatchesPage },
  { name: "health", label: "Health", show: HealthPage },
  { name: "exit", label: "Exit", show: ExitPage },
  { name: "adapters", label: "Adapters", under: "ask", show: AdaptersPage },
  { name: "batch", label: "Batch", under: "batches", show: BatchPage },
  { name: "operation", label: "Operation", under: "batches", show: OperationPage },
  { name: "answer", label: "Answer", under: "batches", show: AnswerPage },
  { name: "leaf", label: "Account", under: "batches", show: LeafPage },
  { name: "address", label: "Address", under: "batches", show: AddressPage },
  { name: "votes", label: "Votes", under: "health", show: VotesPage },
  { name: "queue", label: "Queue", under: "batches", show: QueuePage },
  { name: "settlement", label: "Settlement", under: "batches", show: SettlementPage },
];
const MENU = PAGES.filter(({ under }) => under === undefined);

const LINKS: Readonly<Record<Link, { tone: "good" | "wait" | "bad"; text: string }>> = {
  connecting: { tone: "wait", text: "connecting" },
  live: { tone: "good", text: "live" },
  polling: { tone: "wait", text: "every 2 s" },
  lost: { tone: "bad", text: "no answer" },
};

export function App({ site, live }: { site: Site; live: Live }) {
  const [name = "", ...rest] = route.value;
  const page = PAGES.find((one) => one.name === name);
  const link = LINKS[live.link.value];
  useAddressKept(live);
  useReconnect(site, live);
  useEffect(() => {
    document.title = page === undefined ? "OpenLedger" : `${page.label} · OpenLedger`;
  }, [page]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to the content
      </button>
      <header class="frame-top">
        <div>
          <a class="brand" href="#/">
            <img src={markUrl} alt="" width="28" height="28" />
            OpenLedger
          </a>
          <Nav
            pages={MENU.map((one) => ({ href: `#/${one.name}`, label: one.label }))}
            current={`#/${page?.under ?? name}`}
          />
          <span class="push" />
          <Badge tone={link.tone}>{link.text}</Badge>
          <WalletMenu site={site} live={live} />
        </div>
      </header>
      <main id="main" class="frame-main" tabIndex={-1}>
        <Warnings live={live} />
        {page === undefined ? (
          <NotFound />
        ) : (
          <page.show
            key={page.isOne ? name : [name, ...rest].join("/")}
            site={site}
            live={live}
            rest={rest}
          />
        )}
      </main>
      <Foot live={live} />
    </>
  );
}

function Warnings({ live }: { live: Live }) {
  const { problem, status } = live;
  const stoodMs = live.nowMs.value - (live.l1.value?.sinceMs ?? live.nowMs.value);
  return (
    <>
      {problem.value !== null && <ProblemNotice problem={problem.value} />}
      {problem.value === null && stoodMs > L1_STALL_MS && (
        <Notice
          tone="wait"
          title={`No Ethereum block has come for ${showDuration(stoodMs)}, says this server.`}
        >
          <p>
            Deposits, batches and payouts wait until one comes. What is accepted meanwhile is a promise of the
            operator's alone. <a href="#/health">Who stands still</a>
          </p>
        </Notice>
      )}
      {status.value?.mode === "frozen" && (
        <Notice tone="bad" title="The rollup is frozen.">
          <p>
            Nothing is executed any more. What you own leaves by an exit, with an Ethereum node alone:{" "}
            <a href="#/exit">take it out</a>.
          </p>
        </Notice>
      )}
      {status.value?.mode === "behind" && (
        <Notice tone="wait" title="The operator's server has not caught up with Ethereum.">
          <p>It takes nothing until it has. What it accepted before, and what you own, is not affected.</p>
        </Notice>
      )}
      {status.value?.mode === "sunset" && (
        <Notice tone="wait" title="The operator is winding down.">
          <p>Only withdrawals are taken. Take out what is yours.</p>
        </Notice>
      )}
    </>
  );
}

function NotFound() {
  return (
    <section class="stack">
      <h1>There is no such page</h1>
      <p>
        <a href="#/">Back to the overview</a>
      </p>
    </section>
  );
}

function Foot({ live }: { live: Live }) {
  const info = live.info.value;
  if (info === null) return null;
  const isDevelopment = info.circuits.some((circuit) => circuit.isDevelopment);
  return (
    <footer class="frame-foot">
      Chain {info.chainId} · rollup {info.rollupAddress}
      {isDevelopment &&
        " · development keys: anyone could forge its proofs, so nothing here is worth anything"}
    </footer>
  );
}

/** Looks after the connected address whenever something happens, and at once when it changes. */
function useAddressKept(live: Live): void {
  useEffect(() => live.onLook(() => void lookAfter(live)), [live]);
  const address = session.value?.address;
  useEffect(() => {
    if (session.value === null) return;
    loadJourneys(session.value);
    void lookAfter(live);
  }, [address]);
}

/** The wallet of the last visit, without a prompt. */
function useReconnect(site: Site, live: Live): void {
  const info = live.info.value;
  const known = foundWallets.value.find(wasConnected);
  useEffect(() => {
    if (info === null || known === undefined || session.value !== null) return;
    // Without an answer the reader connects by hand, and is told then what is wrong.
    connect(known, site, info, { isSilent: true }).catch(() => undefined);
  }, [info === null, known]);
}
