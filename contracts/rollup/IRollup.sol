// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IBatchVerifier} from "./IBatchVerifier.sol";
import {IExits} from "./IExits.sol";
import {ISettlements} from "./settlements/ISettlements.sol";
import {OpenToken} from "./OpenToken.sol";

/// @title The ledger's root, its bridge of OPEN and its queue
/// @notice Formats are those of docs/reference/ledger.md; invariants are numbered in docs/reference/invariants.md.
///
/// What it assumes:
/// - of the token: that it is OpenToken. No fee on transfer, no hooks, no rebasing; else I1 breaks.
/// - of the circuits: that a proven batch follows docs/reference/ledger.md. L1 checks what it cannot delegate (order of the
///   queue, time, who may submit, the bridge's sums) and trusts a proof for the rest. A circuit that proved too much
///   could mint inside the ledger, but never pay out more than was paid in (I2).
/// - of the sequencer: nothing but liveness, and that only until the soft deadline. It cannot take an entry out of
///   order or leave it out, and once an entry is overdue anyone can carry the queue on.
///
/// There is no owner, no pause and no upgrade. A batch arrives with its proof and takes effect whole or not at all.
///
/// Settlements are in ISettlements: each Settle and Activation record among the wide slots takes the next one, or what was
/// pre-verified for it, and the same posted bytes fill the record's word and the settlement's elements.
///
/// Freezing and exits are in IExits. Once the ledger is frozen, `submitBatches`, the queue's functions and
/// `recordRandomness` revert; `finalizeWithdrawal` and `burnAccrued` go on.
interface IRollup is IBatchVerifier, ISettlements, IExits {
    /// @param circuit Index of the circuit that proves this batch.
    /// @param commitment C, the Poseidon commitment to the batch's elements.
    /// @param data Wire form of the batch (docs/reference/ledger.md), of exactly the length that its counts and kinds ask for. With a
    /// blob its last 128 bytes open the blob (docs/explanation/data-availability.md); the k-th such batch of a call has the transaction's k-th blob.
    struct Batch {
        uint8 circuit;
        uint256 commitment;
        bytes data;
    }

    /// @param root Root of the ledger's tree.
    /// @param batchNumber Number of the last batch; the first one is 1.
    /// @param nextId The id that the next new leaf gets; at most 2^24.
    /// @param opIndex Number of signed operations so far.
    /// @param timestamp Time of the last batch, in seconds.
    /// @param queueHead Index of the oldest unconsumed queue entry.
    /// @param isFrozen Nothing of all this changes any more.
    struct State {
        uint256 root;
        uint40 batchNumber;
        uint32 nextId;
        uint40 opIndex;
        uint40 timestamp;
        uint40 queueHead;
        bool isFrozen;
    }

    /// @param genesisRoot Root of the tree with the treasury's and the operator's leaf alone.
    /// @param idFeeWei What a new id burns, in wei of OPEN: a Create in the ledger, a DepositNew here.
    /// @param minDepositWei The least amount of a deposit; at least the base fee, which a refused one pays out of it.
    /// @param queueBaseFeeWei Fee of a forced operation while others fill less than an eighth of the queue; not 0.
    /// @param queueCapacity Most unconsumed entries, at least 8; deposits take at most half of it.
    struct RollupConfig {
        OpenToken token;
        address sequencer;
        uint256 genesisRoot;
        address treasuryOwner;
        address operatorOwner;
        uint256 operatorKeyX;
        uint96 idFeeWei;
        uint96 minDepositWei;
        uint96 queueBaseFeeWei;
        uint16 queueCapacity;
        CircuitConfig[] circuits;
    }

    /// @notice An ERC-2612 permission for this contract to take `valueWei` from the caller.
    struct Permit {
        uint256 valueWei;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice Why somebody got a credit.
    enum CreditReason {
        Withdrawal,
        ForcedWithdrawal,
        DepositRefused
    }

    /// @notice What the genesis root was computed from: leaf 0 is the treasury's account, without a key, leaf 1 the
    /// operator's. Anyone can recompute `genesisRoot` from the other arguments.
    event GenesisSet(uint256 genesisRoot, address treasuryOwner, address operatorOwner, uint256 operatorKeyX);

    /// @param opIndex Signed operations so far, this batch's included.
    /// @param queueHead First unconsumed queue entry after this batch.
    event BatchAccepted(
        uint256 indexed batchNumber,
        uint8 circuit,
        uint256 oldRoot,
        uint256 newRoot,
        uint40 opIndex,
        uint40 queueHead
    );

    /// @notice The batch's wire form, emitted only where the transaction's own input may not hold it: the caller is
    /// a contract, or an account that runs code. Otherwise it is the input of a plain call of `submitBatches`.
    /// So whoever follows the ledger never needs a node that traces.
    event BatchData(uint256 indexed batchNumber, bytes data);

    /// @notice Before the event of the batch that consumed the entry, in the same transaction.
    /// @param isValid Whether the operation was executed.
    /// @param executedWei Amount credited by a forced withdrawal or a valid deposit; else 0.
    event QueueEntryConsumed(
        uint256 indexed index,
        uint256 indexed batchNumber,
        bool isValid,
        uint96 executedWei
    );

    /// @param a Leaf that acts: the id of a forced operation, else 0.
    /// @param b Leaf that receives, or is acted on: 0 where there is none.
    /// @param amountWei Of a kind that moves no money another number, see docs/reference/ledger.md.
    /// @param word1 l1Owner of a deposit, recipient of a forced withdrawal, the new key or the new owner …
    /// @param word2 keyX of a DepositNew; receipt, statics, rowsRoot or ownersCommitment of a forced operation; else 0.
    /// @param word3 payeeRoot of a publication, else 0. `word4`: its policy.
    /// @param burnedFeeWei What was taken to be burned, besides a deposit's amount.
    event QueueEntryAdded(
        uint256 indexed index,
        uint8 kind,
        uint24 a,
        uint24 b,
        uint96 amountWei,
        uint256 word1,
        uint256 word2,
        uint256 word3,
        uint256 word4,
        address indexed sender,
        uint40 timestamp,
        uint96 burnedFeeWei
    );

    /// @dev A recipient of 0 is credited like any other; nobody can finalize it.
    event WithdrawalCredited(
        address indexed recipient, uint256 indexed batchNumber, CreditReason reason, uint96 amountWei
    );

    event WithdrawalFinalized(address indexed recipient, uint256 amountWei);

    event AccruedBurned(uint256 amountWei);

    /// @notice A constructor argument is out of range; `field` is its name in `RollupConfig`.
    error RollupConfigInvalid(bytes32 field);

    error RollupNoBatches();
    /// @notice There is one proof for each batch and each settlement that is not pre-verified.
    error RollupProofCountMismatch(uint256 statementCount, uint256 proofCount);
    /// @notice The circuit proves settlements, not batches.
    error RollupCircuitSortInvalid(uint256 circuit, uint256 sort);
    /// @notice The caller is not the sequencer, no queue entry is overdue, and there is more than Settle records.
    error RollupNotSequencer(address caller);
    /// @notice Only the sequencer may submit signed operations.
    error RollupSignedOperations(address caller, uint256 signedCount);
    /// @notice The data is not exactly as long as its counts and kinds ask for.
    error RollupDataLengthInvalid(uint256 length, uint256 expected);
    error RollupNarrowCountExceeded(uint256 pairCount, uint256 maxPairCount);
    /// @notice A gap that is not between two posted pairs, or none that does not stand behind the last one.
    error RollupGapInvalid(uint256 gapAt, uint256 gapCount, uint256 pairCount);
    error RollupWideCountExceeded(uint256 wideCount, uint256 maxWideCount);
    /// @notice An element (the new root, C, a payload, a word or a settlement's chain) is not below the field's order, or a
    /// queue entry's word is too large for its kind.
    error RollupElementOutOfField();
    /// @notice The transaction has no blob for the batch, or its call is not the transaction's own: `isPlainCall` is false
    /// where a contract calls, or an account that has code.
    error RollupBlobMissing(uint256 index, bool isPlainCall);
    /// @notice The posted value, commitment and proof do not open the blob at the challenge, or the gas ran out.
    error RollupBlobNotOpened(bytes32 versionedHash);
    /// @notice A wide slot has an unknown kind, or `force` is asked for a kind that it does not queue.
    error RollupKindUnknown(uint256 kind);
    /// @notice More leaves than the tree holds.
    error RollupNextIdTooLarge(uint256 nextId);
    /// @notice The batch's time must lie in `earliest … latest`: not before the last batch, nor more than
    /// TIMESTAMP_WINDOW before this block, nor after it.
    error RollupTimestampInvalid(uint256 timestamp, uint256 earliest, uint256 latest);
    /// @notice The slot's fields are not those of the queue's next entry, or there is no such entry.
    error RollupQueueMismatch(uint256 index);
    /// @notice Once entries are overdue, a batch takes as many of them as it can, up to 8 (I7).
    error RollupOverdueEntryLeft(uint256 index, uint256 consumedCount);
    /// @notice No address, or this contract.
    error RollupRecipientInvalid(uint256 recipient);
    /// @notice A batch would pay out more than the ledger holds; only an unsound circuit gets here (I2).
    error RollupLedgerExceeded(uint256 amountWei, uint256 ledgerWei);

    error RollupQueueFull(uint256 capacity);
    /// @notice Deposits take at most half of the queue.
    error RollupDepositsFull(uint256 capacity);
    /// @notice The fee has risen above what the caller would pay.
    error RollupFeeTooHigh(uint256 feeWei, uint256 maxFeeWei);
    /// @notice No id is left for a new account.
    error RollupLedgerFull();
    error RollupDepositTooSmall(uint256 amountWei, uint256 minDepositWei);
    /// @notice The field's order or more: no circuit could hold it.
    error RollupKeyOutOfField(uint256 keyX);
    /// @notice An owner or recipient of 0.
    error RollupAddressZero();
    error RollupAmountZero();
    /// @notice The sender's earlier forced withdrawal from this leaf still waits in the queue.
    error RollupForcedWithdrawalOpen(uint24 id, address sender);
    error RollupNothingToFinalize(address owner);
    error RollupNothingToBurn();

    /// @notice Applies batches in order and checks all proofs at once; the state changes whole or not at all.
    /// @dev Open to all, with two limits: signed operations come from the sequencer alone, and another caller's batch
    /// needs an overdue entry at the head of the queue, or holds nothing but Settle records. Another caller's Settle
    /// records take settlements that were pre-verified more than SOFT_DEADLINE ago. A copied transaction gains nothing, the
    /// later one reverts. Makes no outside call but to precompiles. Keep the input below 128 KB.
    /// @param settlements One for each Settle and Activation record, in their order; empty data for what is pre-verified.
    /// @param proofs Those of the batches, then those of the settlements that are not pre-verified.
    function submitBatches(
        Batch[] calldata batches,
        Settlement[] calldata settlements,
        Proof[] calldata proofs
    ) external;

    // Of all functions that queue: `maxFeeWei` is the most that the caller lets be burned. A fee above it, because the
    // queue has filled since the caller looked, is refused.

    /// @notice Queues a deposit that opens a new account for `l1Owner` with `amountWei`. Takes `amountWei` and
    /// `depositFeeWei(true)`, the id fee among it, from the caller.
    /// @dev The fee is burned whether or not the deposit is executed. If it is not, the caller is credited with the whole
    /// amount in `pendingWithdrawals` when the entry is consumed.
    /// @param keyX x-coordinate of the BabyJubJub key that signs for the account; 0 for none. The ledger does not
    /// check that it lies on the curve: an account with a wrong key moves by forced operations only.
    function depositNew(uint96 amountWei, address l1Owner, uint256 keyX, uint96 maxFeeWei)
        external
        returns (uint256 index);

    /// @notice Queues a deposit to leaf `id`, executed only if the leaf's l1Owner then is `expectedL1Owner`. Takes
    /// `amountWei` and `depositFeeWei(false)` from the caller.
    /// @dev If it is not executed, the caller is credited with the amount less the base fee, which is burned.
    function depositTo(uint24 id, uint96 amountWei, address expectedL1Owner, uint96 maxFeeWei)
        external
        returns (uint256 index);

    /// @notice As `depositNew`. A permit that fails (somebody may have used it before) is ignored: the allowance
    /// decides.
    /// @dev Calls the token before any effect: safe because OpenToken's permit calls nobody, and what follows is guarded.
    function depositNewWithPermit(
        uint96 amountWei,
        address l1Owner,
        uint256 keyX,
        uint96 maxFeeWei,
        Permit calldata permit
    ) external returns (uint256 index);

    function depositToWithPermit(
        uint24 id,
        uint96 amountWei,
        address expectedL1Owner,
        uint96 maxFeeWei,
        Permit calldata permit
    ) external returns (uint256 index);

    /// @notice Queues a withdrawal from leaf `id` to `recipient`; executed only if the caller is the leaf's l1Owner
    /// and the balance suffices. Takes `queueFeeWei()` from the caller, to be burned, whether or not it is executed.
    /// @param amountWei 2^96 − 1 withdraws the whole balance.
    /// @param recipient Not this contract.
    function forceWithdraw(uint24 id, uint96 amountWei, address recipient, uint96 maxFeeWei)
        external
        returns (uint256 index);

    /// @notice Queues a new signing key for leaf `id`. Authorisation and fee as for `forceWithdraw`.
    function forceSetKey(uint24 id, uint256 keyX, uint96 maxFeeWei) external returns (uint256 index);

    /// @notice Queues the handover of leaf `id`. Authorisation and fee as for `forceWithdraw`.
    function forceSetOwner(uint24 id, address newOwner, uint96 maxFeeWei) external returns (uint256 index);

    /// @notice Queues a transfer inside the ledger; executed only if the caller is leaf `id`'s l1Owner, the balance
    /// suffices, and leaf `recipientId` then exists with the l1Owner `expectedL1Owner`. Fee as for `forceWithdraw`.
    /// @param amountWei 2^96 − 1 moves the whole balance.
    function forceTransfer(
        uint24 id,
        uint24 recipientId,
        uint96 amountWei,
        address expectedL1Owner,
        uint96 maxFeeWei
    ) external returns (uint256 index);

    /// @notice Queues a claim of what leaf `id` has earned as contributor or validator of a payee of a model; executed
    /// only if the caller is the leaf's l1Owner, the model has had its activation and the payee is the leaf's. What is
    /// paid out goes to the leaf's balance. Fee as for `forceWithdraw`.
    function forceClaimRewards(uint24 id, uint24 modelId, uint16 payeeIndex, bool isValidator, uint96 maxFeeWei)
        external
        returns (uint256 index);

    /// @notice Queues the end of a model's open epoch. Open to all; executed only if the model is ready, its last closed
    /// epoch is settled, it has open payments, and the epoch is a day old now. Fee as for `forceWithdraw`.
    function forceCloseEpoch(uint24 modelId, uint96 maxFeeWei) external returns (uint256 index);

    /// @notice Queues a ForcedPayInference, ForcedRevokeModel, ForcedApproveModel, ForcedCommitData or ForcedPublishVersion
    /// (docs/reference/ledger.md has their fields and when they are executed). In all of them the caller must be leaf
    /// `entry.a`'s l1Owner then. Fee as for `forceWithdraw`. L1 adds its time to an approval's number.
    function force(Entry calldata entry, uint96 maxFeeWei) external returns (uint256 index);

    /// @notice Pays `owner` what is credited to it. Anyone may call; the tokens go to `owner`.
    /// @dev What was credited to this contract itself stays credited for good: paid to itself it would be nobody's.
    function finalizeWithdrawal(address owner) external returns (uint256 amountWei);

    /// @notice Burns what was gathered to be burned, which takes them out of the token's supply. Open to all.
    function burnAccrued() external returns (uint256 amountWei);

    function state() external view returns (State memory);

    /// @notice Index that the next queue entry gets; `queueTail − queueHead` entries wait.
    function queueTail() external view returns (uint256);

    /// @notice The stored word of an entry: the upper 216 bits of its hash, then its time. 0 if not waiting.
    /// The hash is keccak256(abi.encode(index, kind, a, b, amountWei, word1, word2, word3, word4, sender)).
    function queueEntries(uint256 index) external view returns (uint256);

    /// @notice Whether the entry waits since more than SOFT_DEADLINE.
    function isOverdue(uint256 index) external view returns (bool);

    /// @notice Waiting deposits: their number and their sum.
    function queuedDeposits() external view returns (uint256 count, uint256 amountWei);

    function isForcedWithdrawalOpen(uint24 id, address sender) external view returns (bool);

    /// @notice What an address can finalize.
    function pendingWithdrawals(address owner) external view returns (uint256);

    /// @notice What the ledger owes: balances, open and closed amounts, and what payees accrued less what was claimed.
    /// Frozen: less what has left by exits.
    function ledgerWei() external view returns (uint256);

    /// @notice Fees, and what settlements burn, that `burnAccrued` will burn.
    function burnableWei() external view returns (uint256);

    /// @notice Fee of the next forced operation: the base fee, doubled for each eighth of the queue that waiting forced
    /// operations fill, three times at most. Waiting deposits do not count.
    function queueFeeWei() external view returns (uint256);

    /// @notice Fee of the next deposit: nothing, then one, three and seven base fees, for each eighth of the queue that
    /// waiting deposits fill; and the id fee where it opens an account.
    function depositFeeWei(bool isNew) external view returns (uint256);

    /// @notice The domain of signatures and batches, for the chain id of this block.
    function domain() external view returns (uint256);

    function token() external view returns (OpenToken);
    function sequencer() external view returns (address);
    function idFeeWei() external view returns (uint96);
    function minDepositWei() external view returns (uint96);
    function queueBaseFeeWei() external view returns (uint96);
    function queueCapacity() external view returns (uint16);

    /// @notice Seconds after which anyone may carry the queue on.
    function SOFT_DEADLINE() external view returns (uint256);

    /// @notice Seconds after which anyone may freeze the ledger; later than SOFT_DEADLINE.
    function HARD_DEADLINE() external view returns (uint256);

    /// @notice How many seconds a batch's time may lie before its block's.
    function TIMESTAMP_WINDOW() external view returns (uint256);
}
