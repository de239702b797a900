/**
 * Exit page as a server of the pages shows it: opens Ethereum's node and the connected wallet for `ExitPanel`. The page to keep
 * has its own form for these (single-file-main.tsx).
 */
import { useEffect, useState } from "preact/hooks";
import type { Address } from "viem";
import { PageBlobs } from "../blobs/page-blobs.ts";
import type { Session } from "../ledger/session.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { type Access, type Account, accountOf, openAccess } from "./access.ts";
import { ExitPanel } from "./exit-panel.tsx";
import { servedTools } from "./exit-tools.ts";

export interface ServedExitProps {
  readonly rollupAddress: Address;
  readonly l1Url: string | null;
  /** Session of the wallet that is connected in the frame's menu. */
  readonly session: Session | null;
}

/** Exit by the node and the wallet that the other pages have, too. */
export function ServedExit({ rollupAddress, l1Url, session }: ServedExitProps) {
  const [opened, setOpened] = useState<{ access: Access; account: Account | null } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const provider = session?.wallet.provider ?? null;
  useEffect(() => {
    let isOver = false;
    const blobs = new PageBlobs({
      // Anyone who serves the page is asked for blobs alone, and not believed.
      archives: [window.location.origin],
      startWorker: servedTools.startBlobCheck,
      remedy:
        "use the page to keep: it takes the addresses of an archive of blobs and of a beacon node. Every full node is an archive",
    });
    const open = async () => {
      const access = await openAccess(rollupAddress, l1Url, provider, blobs);
      const account =
        session === null ? null : await accountOf(access, session.wallet.provider, session.address);
      if (!isOver) setOpened({ access, account });
    };
    open().catch((error: unknown) => setProblem(problemOf(error)));
    return () => {
      isOver = true;
      blobs.close();
    };
  }, [rollupAddress, l1Url, provider, session?.address]);
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (opened === null) return <p class="soft">Loading …</p>;
  return <ExitPanel access={opened.access} account={opened.account} tools={servedTools} />;
}
