/**
 * Page "#/exit" as a server of the pages shows it: fetches its panel when somebody opens it, and offers the single-file page to
 * keep.
 */
import circuits from "virtual:exit-circuits";
import singleFile from "virtual:single-file-page";
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import type { ServedExitProps } from "./served-exit.tsx";

/** Exit from a rollup whose operator is gone, and the file to store for that day. */
export function ExitPage({ site, live }: PageProps) {
  const [Panel, setPanel] = useState<{ readonly show: ComponentType<ServedExitProps> } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const info = live.info.value;
  const now = session.value;
  useEffect(() => {
    import("./served-exit.tsx").then(
      ({ ServedExit }) => setPanel({ show: ServedExit }),
      (error: unknown) => setProblem(problemOf(error)),
    );
  }, []);
  return (
    <>
      <section class="stack">
        <h1>Leave without the operator</h1>
        <p class="lead">
          If no one proves <Term name="batch">batches</Term> for 7 days, anyone can freeze the rollup. You
          then leave with a proof that your browser makes: the <Term name="escape hatch">exit</Term>.
        </p>
      </section>
      {info !== null && <KeepPage rollupAddress={info.rollupAddress} />}
      {problem !== null && <ProblemNotice problem={problem} />}
      {now === null && (
        <section class="card stack narrow">
          <h2>Connect a wallet to see what is yours</h2>
          <WalletChoice site={site} live={live} />
        </section>
      )}
      {Panel !== null && info !== null && (site.l1Url !== null || now !== null) && (
        <Panel.show rollupAddress={info.rollupAddress} l1Url={site.l1Url} session={now} />
      )}
    </>
  );
}

const BYTES_PER_MB = 1_000_000;

/** The one file that works when this server does not. */
function KeepPage({ rollupAddress }: { rollupAddress: string }) {
  if (singleFile === null) return null;
  // A page without proving keys takes nobody out.
  if (circuits.length === 0)
    return (
      <Notice tone="wait" title="These pages have no proving keys.">
        <p>
          They show what you own but cannot make proofs. Get the exit page from the operator's server, or
          build it from source: <code>openledger exit --page</code>.
        </p>
      </Notice>
    );
  return (
    <Notice tone="info" title="Keep this page. It works without the operator.">
      <p>
        <a href="./exit/openledger-exit.html" download={`openledger-exit-${rollupAddress}.html`}>
          Download the exit page
        </a>{" "}
        ({(singleFile.byteCount / BYTES_PER_MB).toFixed(1)} MB, one file) and open it from your disk when you
        need it. It uses an Ethereum node and, if batches are in blobs, an archive. It includes the proving
        keys; its name contains the contract's address.
      </p>
      <p class="small">
        SHA-256 <Identifier value={singleFile.sha256} label="the SHA-256 of the file" />. You can check it
        against the source: <code>openledger exit --page</code> makes the same file and prints this number.
      </p>
    </Notice>
  );
}
