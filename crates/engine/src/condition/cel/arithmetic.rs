//! Operators on two values.

use std::cmp::Ordering;

use super::Stop;
use super::eval::{Evaluation, failed};
use super::syntax::Operator;
use super::value::{Key, Order, Val};
use crate::condition::time::Timestamp;

impl Evaluation<'_> {
    pub(super) fn binary(&mut self, operator: Operator, left: &Val, right: &Val) -> Result<Val, Stop> {
        use Operator as Op;
        match operator {
            Op::Equal => self.equal(left, right).map(Val::Bool),
            Op::NotEqual => self.equal(left, right).map(|equal| Val::Bool(!equal)),
            Op::Less => self.ordered(operator, left, right, Ordering::is_lt),
            Op::LessEqual => self.ordered(operator, left, right, Ordering::is_le),
            Op::Greater => self.ordered(operator, left, right, Ordering::is_gt),
            Op::GreaterEqual => self.ordered(operator, left, right, Ordering::is_ge),
            Op::Add => self.add(left, right),
            Op::Subtract => subtract(left, right),
            Op::Multiply | Op::Divide | Op::Remainder | Op::In => numbers(operator, left, right),
        }
    }

    /// Whether two values are equal. Values of different types are not, but for numbers, which are compared as numbers.
    pub(super) fn equal(&mut self, left: &Val, right: &Val) -> Result<bool, Stop> {
        Ok(match (left, right) {
            (Val::Null, Val::Null) => true,
            (Val::Address(a), Val::Address(b)) => a == b,
            (Val::Text(a), Val::Text(b)) => {
                self.budget.spend_on(a.len().min(b.len()))?;
                a == b
            }
            (Val::List(a), Val::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for at in 0..a.len() {
                    self.budget.spend(1)?;
                    let (Some(a), Some(b)) = (a.get(at), b.get(at)) else { return Ok(false) };
                    if !self.equal(&a, &b)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Val::Map(a), Val::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                self.budget.spend(a.len())?;
                for (key, value) in a.entries() {
                    if let Key::Text(name) = &key {
                        self.budget.spend_on(name.len())?;
                    }
                    let Some(other) = b.get(&key) else { return Ok(false) };
                    if !self.equal(&value, &other)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => left.order(right) == Some(Order::Is(Ordering::Equal)),
        })
    }

    fn ordered(
        &mut self,
        operator: Operator,
        left: &Val,
        right: &Val,
        fits: fn(Ordering) -> bool,
    ) -> Result<Val, Stop> {
        if let (Val::Text(a), Val::Text(b)) = (left, right) {
            self.budget.spend_on(a.len().min(b.len()))?;
        }
        match left.order(right) {
            Some(Order::Is(ordering)) => Ok(Val::Bool(fits(ordering))),
            Some(Order::NotANumber) => Ok(Val::Bool(false)),
            None => unfit(operator, left, right),
        }
    }

    fn add(&mut self, left: &Val, right: &Val) -> Result<Val, Stop> {
        match (left, right) {
            (Val::Text(a), Val::Text(b)) => {
                self.budget.spend_on(a.len() + b.len())?;
                Ok(Val::Text([&**a, &**b].concat().into()))
            }
            (Val::List(a), Val::List(b)) => {
                self.budget.spend((a.len() + b.len()) / 4)?;
                let each =
                    |list: &super::List| (0..list.len()).filter_map(|at| list.get(at)).collect::<Vec<_>>();
                let mut all = each(a);
                all.extend(each(b));
                Ok(Val::list(all))
            }
            (Val::Timestamp(at), Val::Duration(nanos)) | (Val::Duration(nanos), Val::Timestamp(at)) => {
                moment(at.plus(*nanos))
            }
            (Val::Duration(a), Val::Duration(b)) => span(a.checked_add(*b)),
            _ => numbers(Operator::Add, left, right),
        }
    }
}

fn subtract(left: &Val, right: &Val) -> Result<Val, Stop> {
    match (left, right) {
        (Val::Timestamp(a), Val::Timestamp(b)) => span(a.since(*b)),
        (Val::Timestamp(at), Val::Duration(nanos)) => {
            moment(nanos.checked_neg().and_then(|nanos| at.plus(nanos)))
        }
        (Val::Duration(a), Val::Duration(b)) => span(a.checked_sub(*b)),
        _ => numbers(Operator::Subtract, left, right),
    }
}

fn moment(at: Option<Timestamp>) -> Result<Val, Stop> {
    at.map_or_else(|| failed("the timestamp is not in the years 1 to 9999"), |at| Ok(Val::Timestamp(at)))
}

fn span(nanos: Option<i64>) -> Result<Val, Stop> {
    nanos.map_or_else(|| failed("the duration is too long"), |nanos| Ok(Val::Duration(nanos)))
}

fn numbers(operator: Operator, left: &Val, right: &Val) -> Result<Val, Stop> {
    use Operator as Op;
    let overflow = || Stop::Failed("integer overflow".to_owned());
    match (left, right) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0))
            if matches!(operator, Op::Divide | Op::Remainder) =>
        {
            failed("division by zero")
        }
        (Val::Int(a), Val::Int(b)) => match operator {
            Op::Add => a.checked_add(*b),
            Op::Subtract => a.checked_sub(*b),
            Op::Multiply => a.checked_mul(*b),
            Op::Divide => a.checked_div(*b),
            Op::Remainder => a.checked_rem(*b),
            _ => return unfit(operator, left, right),
        }
        .map(Val::Int)
        .ok_or_else(overflow),
        (Val::Uint(a), Val::Uint(b)) => match operator {
            Op::Add => a.checked_add(*b),
            Op::Subtract => a.checked_sub(*b),
            Op::Multiply => a.checked_mul(*b),
            Op::Divide => a.checked_div(*b),
            Op::Remainder => a.checked_rem(*b),
            _ => return unfit(operator, left, right),
        }
        .map(Val::Uint)
        .ok_or_else(overflow),
        (Val::Double(a), Val::Double(b)) => Ok(Val::Double(match operator {
            Op::Add => a + b,
            Op::Subtract => a - b,
            Op::Multiply => a * b,
            Op::Divide => a / b,
            _ => return unfit(operator, left, right),
        })),
        _ => unfit(operator, left, right),
    }
}

fn unfit<T>(operator: Operator, left: &Val, right: &Val) -> Result<T, Stop> {
    failed(format!("`{}` cannot take a {} and a {}", operator.text(), left.type_name(), right.type_name()))
}
