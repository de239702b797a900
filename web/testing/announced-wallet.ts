/** Wallets as browsers have them: objects of EIP-1193 that announce themselves by EIP-6963. Their keys stay outside. */
import type { BrowserContext } from "playwright-core";
import { createWalletClient, type HDAccount, http } from "viem";
import { foundry } from "viem/chains";

type WalletRequest = { readonly method: string; readonly params?: unknown };

/** @param answer what the wallet says to a request; it asks nobody before it signs */
export async function announceWallet(
  context: BrowserContext,
  name: string,
  answer: (request: WalletRequest) => Promise<unknown>,
): Promise<void> {
  await context.exposeBinding("askWallet", (_source, request: WalletRequest) => answer(request));
  await context.addInitScript((walletName) => {
    const page = globalThis as unknown as {
      askWallet: (request: unknown) => Promise<unknown>;
      dispatchEvent(event: object): void;
      addEventListener(type: string, listener: () => void): void;
      CustomEvent: new (type: string, init: object) => object;
    };
    const info = { uuid: "announced", rdns: "announced.example", name: walletName, icon: "" };
    const request = ({ method, params }: Record<string, unknown>) => page.askWallet({ method, params });
    const detail = { info, provider: { request } };
    const announce = () => page.dispatchEvent(new page.CustomEvent("eip6963:announceProvider", { detail }));
    page.addEventListener("eip6963:requestProvider", announce);
  }, name);
}

/** A wallet of one known key, over a node. */
export function walletOfKey(
  account: HDAccount,
  rpcUrl: string,
): (request: WalletRequest) => Promise<unknown> {
  const wallet = createWalletClient({ chain: foundry, transport: http(rpcUrl), account });
  return async ({ method, params }) => {
    if (/accounts/i.test(method)) return [account.address];
    if (method === "eth_signTypedData_v4") return account.signTypedData(JSON.parse((params as string[])[1]!));
    return wallet.request({ method, params } as never);
  };
}
