/**
 * Wallets of the browser (EIP-6963) to choose from: as a menu in the frame of all pages, and as a list on pages that need a
 * wallet.
 */
import { useRef, useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Identifier } from "../design/identifier.tsx";
import { leafLabel } from "../words/leaf-names.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { chooseAccount, holdings, mainAccount } from "./holdings.ts";
import type { Live } from "./live.ts";
import { connect, disconnect, session } from "./session.ts";
import type { Site } from "./site.ts";
import { type FoundWallet, foundWallets } from "./wallets.ts";

interface MenuProps {
  readonly site: Site;
  readonly live: Live;
}

/** Menu in the frame: connects a wallet, or shows the connected one. */
export function WalletMenu({ site, live }: MenuProps) {
  const now = session.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  return (
    <>
      <Button isSmall isMain={now === null} onClick={() => dialog.current?.showModal()}>
        {now === null ? "Connect a wallet" : `${now.address.slice(0, 6)}…${now.address.slice(-4)}`}
      </Button>
      <dialog ref={dialog} class="dialog" aria-label="Wallet">
        <div class="stack">
          <div class="row">
            <p class="dialog-title">{now === null ? "Connect a wallet" : "Your wallet"}</p>
            <span class="push" />
            <Button isSmall onClick={close}>
              Close
            </Button>
          </div>
          {now === null ? (
            <WalletChoice site={site} live={live} onConnected={close} />
          ) : (
            <Connected onEnd={close} />
          )}
        </div>
      </dialog>
    </>
  );
}

function Connected({ onEnd }: { onEnd: () => void }) {
  const { address, client, isContract, wallet } = session.value!;
  return (
    <>
      <dl class="facts">
        <dt>Wallet</dt>
        <dd>
          {wallet.name} {wallet.isTest && <Badge tone="wait">public key</Badge>}
        </dd>
        <dt>Address</dt>
        <dd>
          <Identifier value={address} label="your address" />
        </dd>
        <dt>Ledger key</dt>
        <dd>
          {isContract
            ? "none: its owners sign"
            : client.l2Key === null
              ? "not requested yet"
              : "in this page's memory"}
        </dd>
      </dl>
      <AccountChoice address={address} />
      <Button
        onClick={() => {
          window.location.hash = "#/wallet";
          onEnd();
        }}
      >
        Move to a new wallet
      </Button>
      <Button
        onClick={() => {
          window.location.hash = isContract ? `#/safe/${address}` : "#/safe";
          onEnd();
        }}
      >
        {isContract ? "Its proposals and signatures" : "Act as an owner of a Safe"}
      </Button>
      <Button
        onClick={() => {
          disconnect();
          onEnd();
        }}
      >
        Disconnect
      </Button>
    </>
  );
}

/** Account to act for, where the address has several. */
function AccountChoice({ address }: { address: string }) {
  const owned = holdings.value?.address === address ? holdings.value : null;
  if (owned === null || owned.accounts.length < 2) return null;
  return (
    <Choice
      label="Account"
      value={String(mainAccount(owned)!.id)}
      options={owned.accounts.map(({ id }) => ({ name: String(id), label: leafLabel(id, "account") }))}
      onChoose={(id) => chooseAccount(Number(id))}
      help="All pages act for it."
    />
  );
}

/** Every wallet that is there. Used in the menu and on the bridge page. */
export function WalletChoice({ site, live, onConnected }: MenuProps & { onConnected?: () => void }) {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busyId, setBusyId] = useState<string | null>(null);
  const info = live.info.value;
  const choose = async (wallet: FoundWallet) => {
    setBusyId(wallet.id);
    setProblem(null);
    try {
      await connect(wallet, site, info!);
      onConnected?.();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusyId(null);
    }
  };
  const wallets = foundWallets.value;
  return (
    <div class="stack-s">
      {wallets.map((wallet) => (
        <Button
          key={wallet.id}
          isWide
          isBusy={busyId === wallet.id}
          isDisabled={info === null || busyId !== null}
          onClick={() => void choose(wallet)}
        >
          {wallet.iconUrl !== null && <img src={wallet.iconUrl} alt="" width="20" height="20" />}
          {wallet.name}
          {wallet.isTest && <Badge tone="wait">devnet only, public key</Badge>}
        </Button>
      ))}
      {wallets.length === 0 && (
        <p class="soft">
          No wallet was found in this browser. Install a browser wallet that supports EIP-6963, then reload
          the page. Hardware wallets and phones connect through such a wallet.
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}
