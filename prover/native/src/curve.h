// Single points in Jacobian coordinates, for the few additions that are not worth a batch.
#pragma once
#include "field.h"

/** y^2 = x^3 + b over F; (0, 0) is the point at infinity, which is on neither curve since b is not 0. */
template <class F>
struct Affine {
  typename F::E x, y;
  bool isInfinity() const { return isZero(x) && isZero(y); }
};

template <class F>
struct Jacobian {
  using E = typename F::E;
  E x = F::zero(), y = F::zero(), z = F::zero();

  Jacobian() = default;
  explicit Jacobian(const Affine<F>& p) {
    if (p.isInfinity()) return;
    x = p.x, y = p.y, z = F::one;
  }

  bool isInfinity() const { return isZero(z); }

  /** dbl-2009-l of the Explicit-Formulas Database, a = 0. */
  void doubleSelf() {
    if (isInfinity()) return;
    const E a = F::sqr(x), b = F::sqr(y), c = F::sqr(b);
    E d = F::sub(F::sub(F::sqr(F::add(x, b)), a), c);
    d = F::add(d, d);
    const E e = F::add(F::add(a, a), a);
    const E yz = F::mul(y, z);
    x = F::sub(F::sqr(e), F::add(d, d));
    E c8 = F::add(c, c);
    c8 = F::add(c8, c8), c8 = F::add(c8, c8);
    y = F::sub(F::mul(e, F::sub(d, x)), c8);
    z = F::add(yz, yz);
  }

  /** add-2007-bl of the same database, with the cases it leaves out. */
  void add(const Jacobian& o) {
    if (o.isInfinity()) return;
    if (isInfinity()) {
      *this = o;
      return;
    }
    const E zz = F::sqr(z), ozz = F::sqr(o.z);
    const E u1 = F::mul(x, ozz), u2 = F::mul(o.x, zz);
    const E s1 = F::mul(F::mul(y, o.z), ozz), s2 = F::mul(F::mul(o.y, z), zz);
    const E h = F::sub(u2, u1);
    E r = F::sub(s2, s1);
    if (isZero(h)) {
      if (isZero(r)) doubleSelf();
      else *this = Jacobian();
      return;
    }
    r = F::add(r, r);
    const E i = F::sqr(F::add(h, h)), j = F::mul(h, i), v = F::mul(u1, i);
    const E zSum = F::sub(F::sub(F::sqr(F::add(z, o.z)), zz), ozz);
    x = F::sub(F::sub(F::sqr(r), j), F::add(v, v));
    const E s1j = F::mul(s1, j);
    y = F::sub(F::mul(r, F::sub(v, x)), F::add(s1j, s1j));
    z = F::mul(zSum, h);
  }

  Affine<F> toAffine() const {
    if (isInfinity()) return {F::zero(), F::zero()};
    const E zInverse = F::inv(z), zz = F::sqr(zInverse);
    return {F::mul(x, zz), F::mul(y, F::mul(zz, zInverse))};
  }
};

/** scalar (a plain integer) times point. */
template <class F>
Jacobian<F> multiply(const Jacobian<F>& point, const Words& scalar) {
  Jacobian<F> out;
  for (int bit = 255; bit >= 0; bit--) {
    out.doubleSelf();
    if (scalar.w[bit / 64] >> (bit % 64) & 1) out.add(point);
  }
  return out;
}

using G1 = Jacobian<Fp>;
using G2 = Jacobian<Fp2>;
