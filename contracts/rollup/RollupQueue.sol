// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRollup} from "./IRollup.sol";
import {OpenToken} from "./OpenToken.sol";
import {
    DEPOSIT_NEW,
    DEPOSIT_TO,
    FORCED_APPROVE_MODEL,
    FORCED_CLAIM_REWARDS,
    FORCED_CLOSE_EPOCH,
    FORCED_PAY_INFERENCE,
    FORCED_PUBLISH_VERSION,
    FORCED_SET_KEY,
    FORCED_SET_OWNER,
    FORCED_TRANSFER,
    FORCED_WITHDRAW,
    GENESIS_NEXT_ID,
    MAX_LEAF_COUNT,
    R
} from "./Protocol.sol";

/// @title The rollup's state, its queue and its payments: everything that needs no proof
/// @dev Documentation is in IRollup.
abstract contract RollupQueue is IRollup, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRollup
    uint256 public constant SOFT_DEADLINE = 24 hours;
    /// @inheritdoc IRollup
    uint256 public constant HARD_DEADLINE = 7 days;
    /// @inheritdoc IRollup
    uint256 public constant TIMESTAMP_WINDOW = 1 hours;

    /// @dev Bits of the number of `force`'s kinds, eight bits a kind: wei, nothing, the rest of a binding, two counts of rows.
    uint256 private constant FORCED_NUMBER_BITS = 0x20_20_27_00_5f << 8 * FORCED_PAY_INFERENCE;
    bytes32 private constant DOMAIN_TAG = keccak256("OpenLedger rollup v1");
    /// @dev The lower 40 bits of a stored queue entry are its time.
    uint256 internal constant ENTRY_TIME_BITS = 40;

    struct Totals {
        uint40 queueTail;
        uint24 depositCount;
        uint96 depositWei;
        uint96 burnableWei;
    }

    /// @inheritdoc IRollup
    OpenToken public immutable token;
    /// @inheritdoc IRollup
    address public immutable sequencer;
    /// @inheritdoc IRollup
    uint96 public immutable idFeeWei;
    /// @inheritdoc IRollup
    uint96 public immutable minDepositWei;
    /// @inheritdoc IRollup
    uint96 public immutable queueBaseFeeWei;
    /// @inheritdoc IRollup
    uint16 public immutable queueCapacity;
    uint256 private immutable _chainId;
    uint256 private immutable _domain;

    /// @dev Two words: the root; then batchNumber 40, nextId 32, opIndex 40, timestamp 40, queueHead 40 and isFrozen 8
    /// bits from the low end. 2^40 seconds end beyond the year 36,000.
    State internal _state;
    /// @dev One word: queueTail 40, depositCount 24, depositWei 96, burnableWei 96 from the low end. All OPEN there
    /// is stays below 2^90 wei.
    Totals internal _totals;
    /// @inheritdoc IRollup
    uint256 public ledgerWei;
    /// @inheritdoc IRollup
    mapping(uint256 index => uint256) public queueEntries;
    /// @inheritdoc IRollup
    mapping(address owner => uint256) public pendingWithdrawals;
    /// @dev Not 0 while a forced withdrawal from the leaf by the sender waits.
    mapping(uint256 idAndSender => uint256) internal _openForcedWithdrawals;

    constructor(RollupConfig memory config) {
        if (address(config.token).code.length == 0) revert RollupConfigInvalid("token");
        if (config.sequencer == address(0)) revert RollupConfigInvalid("sequencer");
        if (config.genesisRoot == 0 || config.genesisRoot >= R) revert RollupConfigInvalid("genesisRoot");
        if (config.treasuryOwner == address(0)) revert RollupConfigInvalid("treasuryOwner");
        if (config.operatorOwner == address(0)) revert RollupConfigInvalid("operatorOwner");
        if (config.operatorKeyX >= R) revert RollupConfigInvalid("operatorKeyX");
        // Sums of fees and deposits have 96 bits: what is below 2^90 can be doubled three times, and added up.
        uint256 supplyWei = config.token.totalSupply();
        if (supplyWei >= 2 ** 90) revert RollupConfigInvalid("token");
        // Without a fee, closing the queue to everybody else would cost gas alone. Eight times as much is the highest.
        if (config.queueBaseFeeWei == 0 || config.queueBaseFeeWei > supplyWei / 8) {
            revert RollupConfigInvalid("queueBaseFeeWei");
        }
        // A refused deposit pays the base fee out of its amount.
        if (config.minDepositWei < config.queueBaseFeeWei || config.minDepositWei > supplyWei) {
            revert RollupConfigInvalid("minDepositWei");
        }
        // There must be enough OPEN for one account.
        if (config.idFeeWei > supplyWei - config.minDepositWei) revert RollupConfigInvalid("idFeeWei");
        // Below 8, half the queue has no quarters.
        if (config.queueCapacity < 8) revert RollupConfigInvalid("queueCapacity");
        token = config.token;
        sequencer = config.sequencer;
        idFeeWei = config.idFeeWei;
        minDepositWei = config.minDepositWei;
        queueBaseFeeWei = config.queueBaseFeeWei;
        queueCapacity = config.queueCapacity;
        _chainId = block.chainid;
        _domain = _computeDomain();
        _state.root = config.genesisRoot;
        _state.nextId = GENESIS_NEXT_ID;
        emit GenesisSet(
            config.genesisRoot, config.treasuryOwner, config.operatorOwner, config.operatorKeyX
        );
    }

    // Queue

    /// @inheritdoc IRollup
    function depositNew(uint96 amountWei, address l1Owner, uint256 keyX, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        return _depositNew(amountWei, l1Owner, keyX, maxFeeWei);
    }

    /// @inheritdoc IRollup
    function depositNewWithPermit(
        uint96 amountWei,
        address l1Owner,
        uint256 keyX,
        uint96 maxFeeWei,
        Permit calldata permit
    ) external returns (uint256) {
        _usePermit(permit);
        return _depositNew(amountWei, l1Owner, keyX, maxFeeWei);
    }

    /// @inheritdoc IRollup
    function depositTo(uint24 id, uint96 amountWei, address expectedL1Owner, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        return _depositTo(id, amountWei, expectedL1Owner, maxFeeWei);
    }

    /// @inheritdoc IRollup
    function depositToWithPermit(
        uint24 id,
        uint96 amountWei,
        address expectedL1Owner,
        uint96 maxFeeWei,
        Permit calldata permit
    ) external returns (uint256) {
        _usePermit(permit);
        return _depositTo(id, amountWei, expectedL1Owner, maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceWithdraw(uint24 id, uint96 amountWei, address recipient, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        if (amountWei == 0) revert RollupAmountZero();
        if (recipient == address(0)) revert RollupAddressZero();
        _refuseSelf(recipient);
        uint256 idAndSender = _idAndSender(id, uint160(msg.sender));
        if (_openForcedWithdrawals[idAndSender] != 0) revert RollupForcedWithdrawalOpen(id, msg.sender);
        _openForcedWithdrawals[idAndSender] = 1;
        return _enqueue(Entry(FORCED_WITHDRAW, id, 0, amountWei, uint160(recipient), 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceSetKey(uint24 id, uint256 keyX, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        return _enqueue(Entry(FORCED_SET_KEY, id, 0, 0, keyX, 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceSetOwner(uint24 id, address newOwner, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        if (newOwner == address(0)) revert RollupAddressZero();
        return _enqueue(Entry(FORCED_SET_OWNER, id, 0, 0, uint160(newOwner), 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceTransfer(
        uint24 id,
        uint24 recipientId,
        uint96 amountWei,
        address expectedL1Owner,
        uint96 maxFeeWei
    ) external returns (uint256) {
        if (amountWei == 0) revert RollupAmountZero();
        if (expectedL1Owner == address(0)) revert RollupAddressZero();
        return _enqueue(Entry(FORCED_TRANSFER, id, recipientId, amountWei, uint160(expectedL1Owner), 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceClaimRewards(uint24 id, uint24 modelId, uint16 payeeIndex, bool isValidator, uint96 maxFeeWei)
        external
        returns (uint256)
    {
        // The word of a signed Claim (docs/reference/settlement.md); no other has a witness.
        if (payeeIndex >> 12 != 0) revert RollupElementOutOfField();
        uint256 word = isValidator ? uint256(payeeIndex) | 1 << 12 : payeeIndex;
        return _enqueue(Entry(FORCED_CLAIM_REWARDS, id, modelId, 0, word, 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function forceCloseEpoch(uint24 modelId, uint96 maxFeeWei) external returns (uint256) {
        // Judged by the time of the entry: its outcome cannot change with the batch that takes it.
        return _enqueue(Entry(FORCED_CLOSE_EPOCH, 0, modelId, 0, block.timestamp, 0, 0, 0), maxFeeWei);
    }

    /// @inheritdoc IRollup
    function force(Entry calldata asked, uint96 maxFeeWei) external returns (uint256) {
        Entry memory entry = _copy(asked);
        uint256 kind = entry.kind;
        if (kind < FORCED_PAY_INFERENCE || kind > FORCED_PUBLISH_VERSION) revert RollupKindUnknown(kind);
        // What no circuit could take would hold up the queue for good: a number beyond its bits, a word that is no element,
        // and what the kind does not post. Other fields decide whether it is executed.
        uint256 unused = kind == FORCED_PUBLISH_VERSION ? entry.b : entry.word3 | entry.word4;
        // 8 * kind is a small number.
        unchecked {
            unused |= entry.amountWei >> (FORCED_NUMBER_BITS >> 8 * kind & 0xff) | (entry.a | entry.b) >> 24;
        }
        // The entry's words 1 to 4.
        assembly ("memory-safe") {
            for { let i := 0x80 } lt(i, 0x100) { i := add(i, 0x20) } {
                unused := or(unused, iszero(lt(mload(add(entry, i)), R)))
            }
        }
        if (unused != 0) revert RollupElementOutOfField();
        // An approval is judged by the time of its entry, too.
        if (kind == FORCED_APPROVE_MODEL) entry.amountWei |= block.timestamp << 39;
        return _enqueue(entry, maxFeeWei);
    }

    function _copy(Entry calldata source) internal pure returns (Entry memory entry) {
        assembly ("memory-safe") {
            calldatacopy(entry, source, 0x100)
        }
    }

    function _depositNew(uint96 amountWei, address l1Owner, uint256 keyX, uint96 maxFeeWei)
        private
        returns (uint256)
    {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        // Its id fee would be burned for nothing.
        if (_state.nextId >= MAX_LEAF_COUNT) revert RollupLedgerFull();
        return _enqueue(Entry(DEPOSIT_NEW, 0, 0, amountWei, uint160(l1Owner), keyX, 0, 0), maxFeeWei);
    }

    function _depositTo(uint24 id, uint96 amountWei, address l1Owner, uint96 maxFeeWei)
        private
        returns (uint256)
    {
        return _enqueue(Entry(DEPOSIT_TO, 0, id, amountWei, uint160(l1Owner), 0, 0, 0), maxFeeWei);
    }

    /// @dev Takes the fee from the caller, to be burned, and a deposit's amount. Guarded for all functions above, which
    /// call nobody themselves but, before any effect, the token's permit.
    function _enqueue(Entry memory entry, uint256 maxFeeWei) private nonReentrant returns (uint256 index) {
        if (_state.isFrozen) revert RollupFrozen();
        Totals memory totals = _totals;
        index = totals.queueTail;
        uint256 waiting = index - _state.queueHead;
        if (waiting >= queueCapacity) revert RollupQueueFull(queueCapacity);
        uint256 feeWei;
        uint256 dueWei;
        if (entry.kind <= DEPOSIT_TO) {
            if (entry.amountWei < minDepositWei) revert RollupDepositTooSmall(entry.amountWei, minDepositWei);
            if (entry.word1 == 0) revert RollupAddressZero();
            if (totals.depositCount >= queueCapacity / 2) revert RollupDepositsFull(queueCapacity / 2);
            // deposit fee: by the deposits that wait, and the id fee for a new account.
            feeWei = _depositFeeWei(totals.depositCount, entry.kind == DEPOSIT_NEW);
            // A count below the capacity; an amount that wraps around is more than the token has, and not paid below.
            unchecked {
                dueWei = feeWei + entry.amountWei;
                totals.depositCount += 1;
                totals.depositWei += uint96(entry.amountWei);
            }
        } else {
            unchecked {
                // forced fee: by the forced operations that wait. Deposits are some of those that wait.
                feeWei = _feeWei(waiting - totals.depositCount);
            }
            dueWei = feeWei;
        }
        if (feeWei > maxFeeWei) revert RollupFeeTooHigh(feeWei, maxFeeWei);
        // 2^40 entries do not come. What is burnable was paid, below 2^90; a fee is at most the token's supply.
        unchecked {
            totals.queueTail += 1;
            totals.burnableWei += uint96(feeWei);
        }
        _totals = totals;
        queueEntries[index] =
            _entryHash(index, entry, uint160(msg.sender)) >> ENTRY_TIME_BITS << ENTRY_TIME_BITS | block.timestamp;
        bytes32 topic = QueueEntryAdded.selector;
        // emit QueueEntryAdded(index, entry's fields, msg.sender, block.timestamp, feeWei), in less code: its data are the
        // entry's eight words as they lie, each in its event's width, and two more.
        assembly ("memory-safe") {
            let place := mload(0x40)
            mcopy(place, entry, 0x100)
            mstore(add(place, 0x100), timestamp())
            mstore(add(place, 0x120), feeWei)
            log3(place, 0x140, topic, index, caller())
        }
        IERC20(token).safeTransferFrom(msg.sender, address(this), dueWei);
    }

    /// @dev An entry's hash; what is stored of it is all but the lower bits, which its time fills.
    function _entryHash(uint256 index, Entry memory entry, uint256 sender) internal pure returns (uint256 hash) {
        // keccak256(abi.encode(index, entry, sender)), in less code.
        assembly ("memory-safe") {
            let place := mload(0x40)
            mstore(place, index)
            mcopy(add(place, 0x20), entry, 0x100)
            mstore(add(place, 0x120), sender)
            hash := keccak256(place, 0x140)
        }
    }

    /// @dev A permit can be used by whoever sees it first; then the allowance is there all the same.
    function _usePermit(Permit calldata permit) private {
        try token.permit(
            msg.sender, address(this), permit.valueWei, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
    }

    /// @dev The base fee, doubled for each quarter of half the queue that `waiting` entries fill, three times at most.
    function _feeWei(uint256 waiting) private view returns (uint256) {
        // The capacity is not 0, and there are less than 2^40 entries.
        unchecked {
            uint256 quarters = waiting * 8 / queueCapacity;
            return uint256(queueBaseFeeWei) << (quarters > 3 ? 3 : quarters);
        }
    }

    /// @dev Nothing while there is room, then what a forced operation would pay above its base fee. An id costs the
    /// same here as inside the ledger. Otherwise anybody could take all ids for gas.
    function _depositFeeWei(uint256 waiting, bool isNew) private view returns (uint256) {
        // At least the base fee, and all of it far below 2^96.
        unchecked {
            return _feeWei(waiting) - queueBaseFeeWei + (isNew ? idFeeWei : 0);
        }
    }

    /// @dev What is paid to this contract itself would be nobody's (I3).
    function _refuseSelf(address recipient) private view {
        if (recipient == address(this)) revert RollupRecipientInvalid(uint160(recipient));
    }

    function _idAndSender(uint256 id, uint256 sender) internal pure returns (uint256) {
        return id << 160 | sender;
    }

    // Payments

    /// @inheritdoc IRollup
    function finalizeWithdrawal(address owner) external nonReentrant returns (uint256 amountWei) {
        _refuseSelf(owner);
        amountWei = pendingWithdrawals[owner];
        if (amountWei == 0) revert RollupNothingToFinalize(owner);
        delete pendingWithdrawals[owner];
        emit WithdrawalFinalized(owner, amountWei);
        // money leaves: no other line of the contracts sends OPEN to anybody.
        IERC20(token).safeTransfer(owner, amountWei);
    }

    /// @inheritdoc IRollup
    function burnAccrued() external nonReentrant returns (uint256 amountWei) {
        amountWei = _totals.burnableWei;
        if (amountWei == 0) revert RollupNothingToBurn();
        _totals.burnableWei = 0;
        emit AccruedBurned(amountWei);
        token.burn(amountWei);
    }

    // Views

    /// @inheritdoc IRollup
    function state() external view returns (State memory) {
        return _state;
    }

    /// @inheritdoc IRollup
    function queueTail() external view returns (uint256) {
        return _totals.queueTail;
    }

    /// @inheritdoc IRollup
    function isOverdue(uint256 index) public view returns (bool) {
        uint256 entry = queueEntries[index];
        // overdue: from now on anybody may carry the queue on.
        return entry != 0 && uint40(entry) + SOFT_DEADLINE < block.timestamp;
    }

    /// @inheritdoc IRollup
    function queuedDeposits() external view returns (uint256 count, uint256 amountWei) {
        return (_totals.depositCount, _totals.depositWei);
    }

    /// @inheritdoc IRollup
    function isForcedWithdrawalOpen(uint24 id, address sender) external view returns (bool) {
        return _openForcedWithdrawals[_idAndSender(id, uint160(sender))] != 0;
    }

    /// @inheritdoc IRollup
    function burnableWei() external view returns (uint256) {
        return _totals.burnableWei;
    }

    /// @inheritdoc IRollup
    function queueFeeWei() external view returns (uint256) {
        // Waiting deposits do not make it dearer.
        return _feeWei(_totals.queueTail - _state.queueHead - _totals.depositCount);
    }

    /// @inheritdoc IRollup
    function depositFeeWei(bool isNew) external view returns (uint256) {
        return _depositFeeWei(_totals.depositCount, isNew);
    }

    /// @inheritdoc IRollup
    function domain() public view returns (uint256) {
        return block.chainid == _chainId ? _domain : _computeDomain();
    }

    function _computeDomain() private view returns (uint256) {
        return uint256(keccak256(abi.encode(DOMAIN_TAG, block.chainid, address(this)))) % R;
    }
}
