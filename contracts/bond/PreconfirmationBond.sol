// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IPreconfirmationBond} from "./IPreconfirmationBond.sol";

/// @dev What the bond asks of a rollup.
interface ISequenced {
    function sequencer() external view returns (address);
}

/// @title The sequencer's bond
/// @dev Documentation is in IPreconfirmationBond. The bond is the contract's whole balance: no figure beside it can differ.
contract PreconfirmationBond is IPreconfirmationBond {
    /// @inheritdoc IPreconfirmationBond
    /// @dev 15 days more than the longest deadline that a sequencer of this project promises: time to find and show both.
    uint256 public constant WITHDRAWAL_DELAY = 45 days;
    /// @inheritdoc IPreconfirmationBond
    /// @dev Without an end, one announcement would let the sequencer leave at any later moment.
    uint256 public constant WITHDRAWAL_WINDOW = 7 days;
    /// @inheritdoc IPreconfirmationBond
    /// @dev Who copies a revelation has to commit first, and to keep the revelation out of so many blocks.
    uint256 public constant REVEAL_DELAY = 10;

    /// @dev Half the order of secp256k1: of the signatures (r, s) and (r, -s) the one below counts.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("OpenLedger");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant PRECONFIRMATION_TYPE_HASH =
        keccak256("Preconfirmation(bytes32 operationHash,uint64 opIndex,uint64 deadline)");

    /// @inheritdoc IPreconfirmationBond
    address public immutable rollup;
    /// @inheritdoc IPreconfirmationBond
    address public immutable sequencer;

    /// @inheritdoc IPreconfirmationBond
    mapping(bytes32 commitment => uint256 blockNumber) public committedAt;
    uint256 private _announcedWei;
    // Slot: 8 bytes of seconds, 1 byte.
    uint64 private _availableAt;
    /// @inheritdoc IPreconfirmationBond
    bool public isForfeited;

    /// @param itsRollup Named in the domain of the preconfirmations that count. ETH sent along is the first deposit.
    constructor(address itsRollup) payable {
        rollup = itsRollup;
        sequencer = ISequenced(itsRollup).sequencer();
        // ecrecover returns 0 for what is no signature.
        if (sequencer == address(0)) revert BondNoSequencer(itsRollup);
        if (msg.value > 0) emit BondDeposited(msg.sender, msg.value, msg.value);
    }

    modifier onlySequencer() {
        if (msg.sender != sequencer) revert BondNotSequencer(msg.sender);
        _;
    }

    modifier notForfeited() {
        if (isForfeited) revert BondForfeited();
        _;
    }

    /// @inheritdoc IPreconfirmationBond
    function deposit() external payable notForfeited {
        if (msg.value == 0) revert BondNothingSent();
        emit BondDeposited(msg.sender, msg.value, address(this).balance);
    }

    /// @inheritdoc IPreconfirmationBond
    function announceWithdrawal(uint256 amountWei) external onlySequencer notForfeited {
        if (amountWei > address(this).balance) revert BondAmountTooLarge(amountWei, address(this).balance);
        _announcedWei = amountWei;
        _availableAt = amountWei == 0 ? 0 : uint64(block.timestamp + WITHDRAWAL_DELAY);
        emit WithdrawalAnnounced(amountWei, _availableAt);
    }

    /// @inheritdoc IPreconfirmationBond
    function withdraw() external onlySequencer notForfeited {
        uint256 amountWei = _announcedWei;
        uint256 availableAt = _availableAt;
        if (amountWei == 0) revert BondNothingAnnounced();
        if (block.timestamp < availableAt) revert BondWithdrawalTooEarly(availableAt);
        uint256 expiresAt = availableAt + WITHDRAWAL_WINDOW;
        if (block.timestamp >= expiresAt) revert BondAnnouncementExpired(expiresAt);
        _announcedWei = 0;
        _availableAt = 0;
        emit BondWithdrawn(amountWei, address(this).balance - amountWei);
        _pay(sequencer, amountWei);
    }

    /// @inheritdoc IPreconfirmationBond
    function commit(bytes32 commitment) external notForfeited {
        // A second commitment must not move the first one's block.
        if (committedAt[commitment] != 0) revert BondAlreadyCommitted(commitment);
        committedAt[commitment] = block.number;
        emit EquivocationCommitted(commitment);
    }

    /// @inheritdoc IPreconfirmationBond
    function show(Equivocation calldata equivocation, address beneficiary, bytes32 salt) external notForfeited {
        uint256 wholeWei = address(this).balance;
        if (wholeWei == 0) revert BondEmpty();
        bytes32 commitment = commitmentOf(equivocation, beneficiary, salt);
        uint256 blockNumber = committedAt[commitment];
        if (blockNumber == 0) revert BondNotCommitted(commitment);
        if (block.number < blockNumber + REVEAL_DELAY) revert BondRevealTooEarly(blockNumber + REVEAL_DELAY);
        SignedPromise calldata first = equivocation.first;
        SignedPromise calldata second = equivocation.second;
        if (first.operationHash == second.operationHash) revert BondSameOperation(first.operationHash);
        _requireSigned(equivocation.opIndex, first);
        _requireSigned(equivocation.opIndex, second);

        isForfeited = true;
        _announcedWei = 0;
        _availableAt = 0;
        uint256 rewardWei = wholeWei / 2;
        uint256 burnedWei = wholeWei - rewardWei;
        emit EquivocationShown(
            beneficiary, equivocation.opIndex, first.operationHash, second.operationHash, rewardWei, burnedWei
        );
        // Nobody has the key of address 0, and it has no code.
        _pay(address(0), burnedWei);
        _pay(beneficiary, rewardWei);
    }

    /// @inheritdoc IPreconfirmationBond
    function commitmentOf(Equivocation calldata equivocation, address beneficiary, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(equivocation, beneficiary, salt));
    }

    /// @inheritdoc IPreconfirmationBond
    function bondWei() external view returns (uint256) {
        return isForfeited ? 0 : address(this).balance;
    }

    /// @inheritdoc IPreconfirmationBond
    function securedWei(uint256 time) external view returns (uint256) {
        // From then on an announcement of this very block could have been carried out.
        if (isForfeited || time >= block.timestamp + WITHDRAWAL_DELAY) return 0;
        (uint256 amountWei, uint256 availableAt) = announced();
        return time < availableAt ? address(this).balance : address(this).balance - amountWei;
    }

    /// @inheritdoc IPreconfirmationBond
    function announced() public view returns (uint256 amountWei, uint256 availableAt) {
        if (block.timestamp >= _availableAt + WITHDRAWAL_WINDOW) return (0, 0);
        return (_announcedWei, _availableAt);
    }

    /// @dev EIP-712, as circuits/wire/sequencer-preconfirmation.ts. The domain has the chain's present id: after a split
    /// of L1 a preconfirmation counts on its own side alone.
    function _requireSigned(uint64 opIndex, SignedPromise calldata promised) private view {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE_HASH, NAME_HASH, VERSION_HASH, block.chainid, rollup));
        bytes32 message = keccak256(
            abi.encode(PRECONFIRMATION_TYPE_HASH, promised.operationHash, opIndex, promised.deadline)
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        bool isCanonical = uint256(promised.s) <= MAX_S && (promised.v == 27 || promised.v == 28);
        if (!isCanonical || ecrecover(digest, promised.v, promised.r, promised.s) != sequencer)
            revert BondNotSigned(promised.operationHash);
    }

    function _pay(address to, uint256 amountWei) private {
        (bool isPaid,) = to.call{value: amountWei}("");
        if (!isPaid) revert BondPaymentRefused(to);
    }
}
