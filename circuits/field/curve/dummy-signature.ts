/**
 * Key and signature that the batch circuits take in place of a user's, for slots whose operation has none: deposits, forced
 * operations, empty slots.
 */
import type { Signature } from "./eddsa.ts";

/**
 * Key and signature of an unsigned slot: the key of the public DUMMY_SECRET and its signature over zeros.
 * The slot circuits hold the same keyX; circuits/field/curve/dummy-signature.test.ts derives all of it again.
 */
export const DUMMY: { readonly keyX: bigint; readonly keyY: bigint; readonly signature: Signature } = {
  keyX: 2159606235728882396862313780479136121712896134668019199711945289329531920290n,
  keyY: 18650951858768019423486894919021968215868076741435575142005609767950337333269n,
  signature: {
    r8x: 20586384834983618391613888891592528873463794955178360622303389519648008516180n,
    r8y: 9014957192087537638535729670510270482438002168142811756878801396078012485806n,
    s: 727651858308962315688536917139466395294593106083633087909041693643931677279n,
  },
};
