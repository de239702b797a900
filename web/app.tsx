/** Frame around every page: name, menu, wallet, and notices that concern all pages. */
import type { SequencerStatus } from "@openledger/client/sequencer/sequencer-schemas";
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { pendingKey } from "./datanets/contribute/pending-key.ts";
import { Badge } from "./design/badge.tsx";
import { Identifier } from "./design/identifier.tsx";
import { Notice } from "./design/notice.tsx";
import { Nav } from "./design/tabs.tsx";
import { ExitPage } from "./exit/exit-page.tsx";
import { Search } from "./explorer/search.tsx";
import { readVisitor } from "./hosts/keys/visitor.ts";
import { lazyPage } from "./lazy-page.tsx";
import { holdings, mainAccount } from "./ledger/holdings.ts";
import { lookAfter } from "./ledger/journey-watch.ts";
import { L1_STALL_MS, type Link, type Live } from "./ledger/live.ts";
import type { PageProps } from "./ledger/page.ts";
import { connect, session, wasConnected } from "./ledger/session.ts";
import type { Site } from "./ledger/site.ts";
import { WalletMenu } from "./ledger/wallet-menu.tsx";
import { foundWallets } from "./ledger/wallets.ts";
import markUrl from "./mark.svg";
import { OverviewPage } from "./overview/overview-page.tsx";
import { route } from "./routes.ts";
import { showCount, showDuration } from "./words/format.ts";
import { noteShownLeaf, ownLeafId, shownLeaves } from "./words/leaf-names.ts";
import { Part } from "./words/part.tsx";
import { ProblemNotice } from "./words/problem.tsx";

interface PageEntry {
  readonly name: string;
  readonly label: string;
  /** The page in the menu that this one belongs to; absent if it is there itself. The first page is the brand's. */
  readonly under?: string;
  /** True for a page whose parts have addresses: it stays as they change. */
  readonly isOne?: boolean;
  readonly show: (props: PageProps) => VNode;
}

// The first page is there at once; every other one is fetched when somebody opens it, with the libraries that it takes.
const AdaptersPage = lazyPage(async () => (await import("./adapters/adapters-page.tsx")).AdaptersPage);
const AddressPage = lazyPage(async () => (await import("./explorer/address-page.tsx")).AddressPage);
const AnswerPage = lazyPage(async () => (await import("./answer/answer-page.tsx")).AnswerPage);
const AskPage = lazyPage(async () => (await import("./ask/ask-page.tsx")).AskPage);
const BatchPage = lazyPage(async () => (await import("./explorer/batch-page.tsx")).BatchPage);
const BatchesPage = lazyPage(async () => (await import("./explorer/batches-page.tsx")).BatchesPage);
const BridgePage = lazyPage(async () => (await import("./bridge/bridge-page.tsx")).BridgePage);
const DatanetsPage = lazyPage(async () => (await import("./datanets/datanets-page.tsx")).DatanetsPage);
const EarningsPage = lazyPage(async () => (await import("./earnings/earnings-page.tsx")).EarningsPage);
const FactoryPage = lazyPage(async () => (await import("./factory/factory-page.tsx")).FactoryPage);
const HealthPage = lazyPage(async () => (await import("./health/health-page.tsx")).HealthPage);
const LeafPage = lazyPage(async () => (await import("./explorer/leaf-page.tsx")).LeafPage);
const NewWalletPage = lazyPage(async () => (await import("./wallet/new-wallet-page.tsx")).NewWalletPage);
const OperationPage = lazyPage(async () => (await import("./explorer/operation-page.tsx")).OperationPage);
const QueuePage = lazyPage(async () => (await import("./explorer/queue-page.tsx")).QueuePage);
const SafePage = lazyPage(async () => (await import("./safe/safe-page.tsx")).SafePage);
const SettlementPage = lazyPage(async () => (await import("./explorer/settlement-page.tsx")).SettlementPage);
const VotesPage = lazyPage(async () => (await import("./votes/votes-page.tsx")).VotesPage);
const WordsPage = lazyPage(async () => (await import("./words/words-page.tsx")).WordsPage);

/** Pages: address, name in the menu, and component. */
const PAGES: readonly PageEntry[] = [
  { name: "", label: "Overview", under: "", show: OverviewPage },
  { name: "bridge", label: "Bridge", isOne: true, show: BridgePage },
  { name: "ask", label: "Ask", show: AskPage },
  { name: "datanets", label: "Datanets", isOne: true, show: DatanetsPage },
  { name: "factory", label: "Factory", show: FactoryPage },
  { name: "earnings", label: "Earnings", show: EarningsPage },
  { name: "batches", label: "Explorer", show: BatchesPage },
  { name: "votes", label: "Votes", show: VotesPage },
  { name: "health", label: "Health", show: HealthPage },
  { name: "exit", label: "Exit", show: ExitPage },
  { name: "adapters", label: "Adapters", under: "ask", show: AdaptersPage },
  { name: "batch", label: "Batch", under: "batches", show: BatchPage },
  { name: "operation", label: "Operation", under: "batches", show: OperationPage },
  { name: "answer", label: "Answer", under: "batches", show: AnswerPage },
  { name: "leaf", label: "Account", under: "batches", show: LeafPage },
  { name: "address", label: "Address", under: "batches", show: AddressPage },
  { name: "glossary", label: "Glossary", under: "", isOne: true, show: WordsPage },
  { name: "queue", label: "Queue", under: "batches", show: QueuePage },
  { name: "settlement", label: "Settlement", under: "batches", show: SettlementPage },
  { name: "safe", label: "A Safe owns", under: "bridge", isOne: true, show: SafePage },
  { name: "wallet", label: "A new wallet", under: "bridge", isOne: true, show: NewWalletPage },
];
const MENU = PAGES.filter(({ under }) => under === undefined);

const LINKS: Readonly<Record<Link, { tone: "good" | "wait" | "bad"; text: string }>> = {
  connecting: { tone: "wait", text: "connecting" },
  live: { tone: "good", text: "live" },
  polling: { tone: "wait", text: "reconnecting" },
  lost: { tone: "bad", text: "no answer" },
};

export function App({ site, live }: { site: Site; live: Live }) {
  const [name = "", ...rest] = route.value;
  const page = PAGES.find((one) => one.name === name);
  const link = LINKS[live.link.value];
  useAddressKept(live);
  useReconnect(site, live);
  useLeafNames(site, live);
  useContributionsCarried(site, live);
  useBrowserNotices(site, live);
  useEffect(() => {
    document.title = page === undefined ? "OpenLedger" : `${page.label} · OpenLedger`;
  }, [page]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header class="frame-top">
        <div>
          <a class="brand" href="#/">
            <img src={markUrl} alt="" width="28" height="28" />
            OpenLedger
          </a>
          <Menu current={`#/${page?.under ?? name}`} />
          <span class="push" />
          <Search site={site} live={live} />
          <Badge tone={link.tone}>{link.text}</Badge>
          <WalletMenu site={site} live={live} />
        </div>
      </header>
      <main id="main" class="frame-main" tabIndex={-1}>
        <Part>
          <Warnings live={live} />
        </Part>
        {page === undefined ? (
          <NotFound />
        ) : (
          <Part key={page.isOne ? name : [name, ...rest].join("/")}>
            <page.show site={site} live={live} rest={rest} />
          </Part>
        )}
      </main>
      <Part>
        <Foot site={site} live={live} />
      </Part>
    </>
  );
}

/** The pages; on a phone behind one button. */
function Menu({ current }: { current: string }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [route.value]);
  return (
    <div class="menu" data-open={isOpen}>
      <button
        type="button"
        class="button button-small menu-button"
        aria-expanded={isOpen}
        aria-controls="pages"
        onClick={() => setOpen(!isOpen)}
        onKeyDown={({ key }) => key === "Escape" && setOpen(false)}
      >
        Menu
      </button>
      <div id="pages">
        <Nav pages={MENU.map((one) => ({ href: `#/${one.name}`, label: one.label }))} current={current} />
      </div>
    </div>
  );
}

function Warnings({ live }: { live: Live }) {
  const { problem, status } = live;
  const notice = status.value?.operator?.notice ?? null;
  const stoodMs = live.nowMs.value - (live.l1.value?.sinceMs ?? live.nowMs.value);
  return (
    <>
      {problem.value !== null && <ProblemNotice problem={problem.value} />}
      {notice !== null && <OperatorNotice notice={notice} nowMs={live.nowMs.value} />}
      {problem.value === null && stoodMs > L1_STALL_MS && (
        <Notice
          tone="wait"
          title={`This server has seen no new Ethereum block for ${showDuration(stoodMs)}.`}
        >
          <p>
            Deposits, batches and withdrawals wait for the next block. Until then, accepted operations are
            only promised by the operator. <a href="#/health">See Health</a>
          </p>
        </Notice>
      )}
      {status.value?.mode === "frozen" && (
        <Notice tone="bad" title="The rollup is frozen.">
          <p>
            No more operations are executed. You can still withdraw what you own with nothing but an Ethereum
            node: <a href="#/exit">go to Exit</a>.
          </p>
        </Notice>
      )}
      {status.value?.mode === "behind" && (
        <Notice tone="wait" title="The operator's server has not caught up with Ethereum.">
          <p>Until then, it accepts no operations. Earlier operations and what you own are not affected.</p>
        </Notice>
      )}
      {status.value?.mode === "sunset" && (
        <Notice tone="wait" title="The operator is winding down.">
          <p>Only withdrawals are accepted. Please withdraw your funds.</p>
        </Notice>
      )}
    </>
  );
}

/** Notice of the operator to everybody. */
function OperatorNotice({
  notice: { text, title, untilMs },
  nowMs,
}: {
  notice: NonNullable<NonNullable<SequencerStatus["operator"]>["notice"]>;
  nowMs: number;
}) {
  const left = untilMs - nowMs;
  return (
    <Notice
      tone="info"
      title={`${title}, ${left >= 1_000 ? `about ${showDuration(left)} left` : "a moment left"}.`}
    >
      <p>{text}</p>
    </Notice>
  );
}

function NotFound() {
  return (
    <section class="stack">
      <h1>Page not found</h1>
      <p>
        <a href="#/">Back to the overview</a>
      </p>
    </section>
  );
}

function Foot({ live, site }: { live: Live; site: Site }) {
  const info = live.info.value;
  const [host] = site.datanetHosts;
  const isDevelopment = info?.circuits.some((circuit) => circuit.isDevelopment) === true;
  return (
    <footer class="frame-foot stack-s">
      <nav class="row" aria-label="More">
        <a href="#/glossary">Glossary</a>
        <a href="/docs">API reference</a>
        {host !== undefined && <a href={`${host.replace(/\/$/, "")}/docs`}>API of the Datanet host</a>}
        <a href="#/exit">Exit without the operator</a>
        {site.sourceUrl !== null && (
          <a href={site.sourceUrl} rel="noreferrer">
            Source code
          </a>
        )}
      </nav>
      <p>
        Documentation comes with the source code: <code>npm run docs</code> opens it, and SECURITY.md says how
        to report a vulnerability.
      </p>
      {info !== null && (
        <details>
          <summary class="row">Technical details</summary>
          <dl class="facts folded">
            <dt>Chain</dt>
            <dd>{info.chainId}</dd>
            <dt>Rollup contract</dt>
            <dd>
              <Identifier value={info.rollupAddress} label="the rollup's address" />
            </dd>
            <dt>OPEN token</dt>
            <dd>
              <Identifier value={info.tokenAddress} label="the token's address" />
            </dd>
            <dt>Operator</dt>
            <dd>
              <Identifier value={info.preconfirmationSigner} label="the operator's address" />
            </dd>
            <dt>Ethereum blocks until final</dt>
            <dd>{showCount(info.l1Confirmations)}</dd>
          </dl>
        </details>
      )}
      {isDevelopment && (
        <p>This is a test network. Its proofs use development keys, so nothing here has any value.</p>
      )}
    </footer>
  );
}

/** Looks after the connected address whenever something happens, and at once when it changes. */
function useAddressKept(live: Live): void {
  useEffect(() => live.onLook(() => void lookAfter(live)), [live]);
  const address = session.value?.address;
  useEffect(() => {
    if (session.value === null) return;
    void lookAfter(live);
  }, [address]);
}

/** The wallet of the last visit, without a prompt. */
function useReconnect(site: Site, live: Live): void {
  const info = live.info.value;
  const known = foundWallets.value.find(wasConnected);
  useEffect(() => {
    if (info === null || known === undefined) return;
    // One request without an answer leaves nobody without their account. Meanwhile the reader may connect by hand, or leave.
    return live.untilDone(async () => {
      if (session.value === null && wasConnected(known)) await connect(known, site, info, { isSilent: true });
    });
  }, [info === null, known]);
}

/** Uploads rows of this browser to their hosts, whichever page is open; its code is fetched if there are some. */
function useContributionsCarried(site: Site, live: Live): void {
  const rollup = live.info.value;
  useEffect(() => {
    if (rollup === null || site.datanetHosts.length === 0) return;
    const look = () => {
      if (localStorage.getItem(pendingKey(rollup)) === null) return;
      // Without its code there is nothing to say; the next look asks for it again.
      import("./datanets/contribute/carry-on.ts").then(
        ({ carryOn }) => carryOn(site, live),
        () => undefined,
      );
    };
    look();
    return live.onLook(look);
  }, [rollup]);
}

/** Shows the account's events as notifications of the browser, if they are on, whichever page is open. */
function useBrowserNotices(site: Site, live: Live): void {
  const leafId = mainAccount(holdings.value)?.id ?? null;
  const reader = readVisitor(site, live)?.reader ?? null;
  const [hostUrl] = site.datanetHosts;
  useEffect(() => {
    if (leafId === null || reader === null || hostUrl === undefined) return;
    const look = () => {
      if (!("Notification" in window) || Notification.permission !== "granted") return;
      // Without an answer the next look asks again.
      import("./earnings/browser-notices.ts")
        .then(({ showEvents }) => showEvents(reader, { hostUrl, leafId }))
        .catch(() => undefined);
    };
    look();
    return live.onLook(look);
  }, [leafId, reader]);
}

/** Interval at which known names are fetched again. */
const NAMES_EVERY_MS = 60_000;

/** Fetches names of Datanets and models, and of all leaves that pages show, from the hosts. */
function useLeafNames(site: Site, live: Live): void {
  const reader = readVisitor(site, live)?.reader ?? null;
  const question = useRef<{ atMs: number; shown: readonly number[] }>({ atMs: 0, shown: [] });
  const shown = shownLeaves.value;
  useEffect(() => {
    if (reader === null || site.datanetHosts.length === 0) return;
    const look = async () => {
      const { nameHostedLeaves, nameShownLeaves } = await import("./hosts/name-leaves.ts");
      const isDue = Date.now() - question.current.atMs >= NAMES_EVERY_MS;
      const known = question.current.shown;
      question.current = { atMs: isDue ? Date.now() : question.current.atMs, shown };
      await Promise.all([
        isDue ? nameHostedLeaves(site, reader) : undefined,
        nameShownLeaves(site, reader, isDue ? shown : shown.filter((id) => !known.includes(id))),
      ]);
    };
    // Without a name everything is called by its number, and asked again in a while.
    const lookQuietly = () => void look().catch(() => undefined);
    lookQuietly();
    return live.onLook(lookQuietly);
  }, [reader === null, shown]);
  const own = mainAccount(holdings.value)?.id ?? null;
  useEffect(() => {
    ownLeafId.value = own;
    if (own !== null) noteShownLeaf(own);
  }, [own]);
}
