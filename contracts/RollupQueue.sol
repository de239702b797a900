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
    FORCED_CLAIM,
    FORCED_SEAL,
    FORCED_SET_KEY,
    FORCED_SET_OWNER,
    FORCED_TRANSFER,
    FORCED_WITHDRAW,
    GENESIS_NEXT_ID,
    R
} from "./Protocol.sol";

/// @title The rollup's state, its queue and its payments: everything that needs no proof
/// @dev Documentation is in IRollup.
abstract contract RollupQueue is IRollup, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRollup
    uint256 public constant SOFT_DEADLINE = 24 hours;
    /// @inheritdoc IRollup
    uint256 public constant HARD_DEADLINE = 14 days;
    /// @inheritdoc IRollup
    uint256 public constant TIMESTAMP_WINDOW = 1 hours;

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
        if (config.minDepositWei == 0) revert RollupConfigInvalid("minDepositWei");
        // The fee doubles three times at most: 2^90 · 8 still fits 96 bits.
        if (config.queueBaseFeeWei >= 2 ** 90) revert RollupConfigInvalid("queueBaseFeeWei");
        // Below 4 there are no quarters.
        if (config.queueCapacity < 4) revert RollupConfigInvalid("queueCapacity");
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
    function depositNew(uint96 amountWei, address l1Owner, uint256 keyX)
        external
        nonReentrant
        returns (uint256)
    {
        return _depositNew(amountWei, l1Owner, keyX);
    }

    /// @inheritdoc IRollup
    function depositNewWithPermit(uint96 amountWei, address l1Owner, uint256 keyX, Permit calldata permit)
        external
        nonReentrant
        returns (uint256)
    {
        _usePermit(permit);
        return _depositNew(amountWei, l1Owner, keyX);
    }

    /// @inheritdoc IRollup
    function depositTo(uint24 id, uint96 amountWei, address expectedL1Owner)
        external
        nonReentrant
        returns (uint256)
    {
        return _depositTo(id, amountWei, expectedL1Owner);
    }

    /// @inheritdoc IRollup
    function depositToWithPermit(
        uint24 id,
        uint96 amountWei,
        address expectedL1Owner,
        Permit calldata permit
    ) external nonReentrant returns (uint256) {
        _usePermit(permit);
        return _depositTo(id, amountWei, expectedL1Owner);
    }

    /// @inheritdoc IRollup
    function forceWithdraw(uint24 id, uint96 amountWei, address recipient)
        external
        nonReentrant
        returns (uint256)
    {
        if (amountWei == 0) revert RollupAmountZero();
        if (recipient == address(0)) revert RollupAddressZero();
        uint256 idAndSender = _idAndSender(id, uint160(msg.sender));
        if (_openForcedWithdrawals[idAndSender] != 0) revert RollupForcedWithdrawalOpen(id, msg.sender);
        _openForcedWithdrawals[idAndSender] = 1;
        return _force(FORCED_WITHDRAW, id, 0, amountWei, uint160(recipient));
    }

    /// @inheritdoc IRollup
    function forceSetKey(uint24 id, uint256 keyX) external nonReentrant returns (uint256) {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        return _force(FORCED_SET_KEY, id, 0, 0, keyX);
    }

    /// @inheritdoc IRollup
    function forceSetOwner(uint24 id, address newOwner) external nonReentrant returns (uint256) {
        if (newOwner == address(0)) revert RollupAddressZero();
        return _force(FORCED_SET_OWNER, id, 0, 0, uint160(newOwner));
    }

    /// @inheritdoc IRollup
    function forceTransfer(uint24 id, uint24 payeeId, uint96 amountWei, address expectedL1Owner)
        external
        nonReentrant
        returns (uint256)
    {
        if (amountWei == 0) revert RollupAmountZero();
        if (expectedL1Owner == address(0)) revert RollupAddressZero();
        return _force(FORCED_TRANSFER, id, payeeId, amountWei, uint160(expectedL1Owner));
    }

    /// @inheritdoc IRollup
    function forceClaim(uint24 id, uint24 modelId, uint8 slotIndex, bool isValidator)
        external
        nonReentrant
        returns (uint256)
    {
        // The word of a signed Claim (docs/settlement.md); no other has a witness.
        return _force(FORCED_CLAIM, id, modelId, 0, isValidator ? uint256(slotIndex) | 1 << 9 : slotIndex);
    }

    /// @inheritdoc IRollup
    function forceSeal(uint24 modelId) external nonReentrant returns (uint256) {
        // Judged by the time of the entry: its outcome cannot change with the batch that takes it.
        return _force(FORCED_SEAL, 0, modelId, 0, block.timestamp);
    }

    function _depositNew(uint96 amountWei, address l1Owner, uint256 keyX) private returns (uint256) {
        if (keyX >= R) revert RollupKeyOutOfField(keyX);
        return _deposit(DEPOSIT_NEW, 0, amountWei, l1Owner, keyX);
    }

    function _depositTo(uint24 id, uint96 amountWei, address l1Owner) private returns (uint256) {
        return _deposit(DEPOSIT_TO, id, amountWei, l1Owner, 0);
    }

    function _deposit(uint256 kind, uint24 b, uint96 amountWei, address l1Owner, uint256 word2)
        private
        returns (uint256 index)
    {
        if (amountWei < minDepositWei) revert RollupDepositTooSmall(amountWei, minDepositWei);
        if (l1Owner == address(0)) revert RollupAddressZero();
        Totals memory totals = _totals;
        if (totals.depositCount >= queueCapacity / 2) revert RollupDepositsFull(queueCapacity / 2);
        totals.depositCount += 1;
        totals.depositWei += amountWei;
        index = _enqueue(totals, kind, 0, b, amountWei, uint160(l1Owner), word2, 0);
        IERC20(token).safeTransferFrom(msg.sender, address(this), amountWei);
    }

    function _force(uint256 kind, uint24 a, uint24 b, uint96 amountWei, uint256 word1)
        private
        returns (uint256 index)
    {
        Totals memory totals = _totals;
        uint96 feeWei = _feeWei(totals.queueTail);
        totals.burnableWei += feeWei;
        index = _enqueue(totals, kind, a, b, amountWei, word1, 0, feeWei);
        IERC20(token).safeTransferFrom(msg.sender, address(this), feeWei);
    }

    function _enqueue(
        Totals memory totals,
        uint256 kind,
        uint24 a,
        uint24 b,
        uint96 amountWei,
        uint256 word1,
        uint256 word2,
        uint96 feeWei
    ) private returns (uint256 index) {
        if (_state.isFrozen) revert RollupFrozen();
        index = totals.queueTail;
        if (index - _state.queueHead >= queueCapacity) revert RollupQueueFull(queueCapacity);
        queueEntries[index] =
            _entryHash(index, kind, a, b, amountWei, word1, word2, uint160(msg.sender)) | block.timestamp;
        totals.queueTail += 1;
        _totals = totals;
        emit QueueEntryAdded(
            index,
            uint8(kind),
            a,
            b,
            amountWei,
            word1,
            word2,
            msg.sender,
            uint40(block.timestamp),
            feeWei
        );
    }

    /// @dev The part of an entry's hash that is stored; its time fills the lower bits.
    function _entryHash(
        uint256 index,
        uint256 kind,
        uint256 a,
        uint256 b,
        uint256 amountWei,
        uint256 word1,
        uint256 word2,
        uint256 sender
    ) internal pure returns (uint256) {
        bytes32 hash = keccak256(abi.encode(index, kind, a, b, amountWei, word1, word2, sender));
        return uint256(hash) >> ENTRY_TIME_BITS << ENTRY_TIME_BITS;
    }

    /// @dev A permit can be used by whoever sees it first; then the allowance is there all the same.
    function _usePermit(Permit calldata permit) private {
        try token.permit(
            msg.sender, address(this), permit.valueWei, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
    }

    function _feeWei(uint256 tail) private view returns (uint96) {
        // 0 to 3 full quarters; a full queue has a fourth, but takes nothing.
        uint256 quarters = (tail - _state.queueHead) * 4 / queueCapacity;
        if (quarters > 3) quarters = 3;
        return uint96(uint256(queueBaseFeeWei) << quarters);
    }

    function _idAndSender(uint256 id, uint256 sender) internal pure returns (uint256) {
        return id << 160 | sender;
    }

    // Payments

    /// @inheritdoc IRollup
    function claim(address owner) external nonReentrant returns (uint256 amountWei) {
        amountWei = pendingWithdrawals[owner];
        if (amountWei == 0) revert RollupNothingToClaim(owner);
        delete pendingWithdrawals[owner];
        emit WithdrawalClaimed(owner, amountWei);
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
        return _feeWei(_totals.queueTail);
    }

    /// @inheritdoc IRollup
    function domain() public view returns (uint256) {
        return block.chainid == _chainId ? _domain : _computeDomain();
    }

    function _computeDomain() private view returns (uint256) {
        return uint256(keccak256(abi.encode(DOMAIN_TAG, block.chainid, address(this)))) % R;
    }
}
