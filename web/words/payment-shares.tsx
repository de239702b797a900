/** Division of a model's payments, as every page shows it. */
import { paymentShares } from "@openledger/circuits/settlement/settlement-split";
import { Fragment } from "preact";

/** Terms and values for a list of facts. */
export function PaymentShares({ split }: { split: Parameters<typeof paymentShares>[0] }) {
  return (
    <>
      {paymentShares(split).map(({ share, to }) => (
        <Fragment key={to}>
          <dt>To {to}</dt>
          <dd>{share}</dd>
        </Fragment>
      ))}
    </>
  );
}
