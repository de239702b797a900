/**
 * Notifications of the browser about an account's events, from an open page: the page looks at a host now and then. There is no
 * push service, which would learn who is told what.
 */

import type { HostAccess } from "@openledger/client/datanets/host-request";
import { type HostEvent, listEvents } from "@openledger/client/datanets/notices";
import { signal } from "@preact/signals";

const CHOICE = "openledger.notify";
/** Interval of looks. */
const LOOK_MS = 15_000;
/** Notifications of one look: more are counted in the last one. */
const MAX_SHOWN = 3;

export type NotifyState = "on" | "off" | "denied" | "absent";

function readState(): NotifyState {
  if (!("Notification" in window)) return "absent";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && localStorage.getItem(CHOICE) === "on" ? "on" : "off";
}

export const notifyState = signal<NotifyState>(readState());

/** Turns notifications on, for which the browser asks its owner; or off. Call it from a click. */
export async function setNotify(isOn: boolean): Promise<void> {
  localStorage.setItem(CHOICE, isOn ? "on" : "off");
  if (isOn && "Notification" in window && Notification.permission === "default")
    await Notification.requestPermission();
  notifyState.value = readState();
}

let lookedAtMs = 0;

/** Shows what is new since the last look of this browser; the first look only remembers. */
export async function showEvents(
  reader: HostAccess,
  { hostUrl, leafId }: { hostUrl: string; leafId: number },
): Promise<void> {
  if (notifyState.value !== "on" || Date.now() - lookedAtMs < LOOK_MS) return;
  lookedAtMs = Date.now();
  const key = `openledger.told.${hostUrl}.${leafId}`;
  const told = localStorage.getItem(key);
  const where = { hostUrl, leafId };
  const [newest, ...older] =
    told === null
      ? await listEvents(reader, { ...where, limit: 1 })
      : (await listEvents(reader, { ...where, after: told })).reverse();
  if (newest === undefined) return;
  localStorage.setItem(key, newest.uid);
  if (told !== null) show([newest, ...older]);
}

function show(events: readonly HostEvent[]): void {
  const left = events.length - MAX_SHOWN;
  for (const [i, { text, uid }] of events.slice(0, MAX_SHOWN).reverse().entries()) {
    const isLast = i === Math.min(events.length, MAX_SHOWN) - 1;
    const body = isLast && left > 0 ? `${text} And ${left} more.` : text;
    // Of several open pages one notification is shown.
    const notification = new Notification("OpenLedger", { body, tag: `openledger-${uid}` });
    notification.onclick = () => {
      window.focus();
      window.location.hash = "#/earnings";
    };
  }
}
