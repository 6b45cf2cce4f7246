//! The macros that run over a list, or over the keys of a map.

use super::Stop;
use super::eval::{Evaluation, Pending, failed};
use super::syntax::{Fold, Macro, Node};
use super::value::Val;

impl Evaluation<'_> {
    pub(super) fn fold(&mut self, fold: &Fold) -> Result<Val, Stop> {
        let elements: Box<dyn Iterator<Item = Val>> = match self.value(&fold.range)? {
            Val::List(list) => Box::new((0..list.len()).map_while(move |at| list.get(at))),
            Val::Map(map) => {
                self.budget.spend_on(map.len())?;
                Box::new(map.keys().into_iter())
            }
            other => {
                return failed(format!(
                    "a macro runs over a list or a map, but this is a {}",
                    other.type_name()
                ));
            }
        };
        match (fold.macro_, &fold.test) {
            (Macro::All | Macro::Exists, Some(test)) => {
                let settling = fold.macro_ == Macro::Exists;
                self.settled_by(settling, elements, |this, element| this.test(test, element)).map(Val::Bool)
            }
            (Macro::ExistsOne, Some(test)) => {
                let mut pending = Pending::default();
                let mut count = 0_usize;
                for element in elements {
                    match self.test(test, element) {
                        Ok(holds) => count += usize::from(holds),
                        Err(stop) => pending.note(stop)?,
                    }
                }
                pending.strict()?;
                Ok(Val::Bool(count == 1))
            }
            _ => self.collect(fold, elements),
        }
    }

    /// `filter`, and `map` with its two and three arguments.
    fn collect(&mut self, fold: &Fold, elements: impl Iterator<Item = Val>) -> Result<Val, Stop> {
        let mut pending = Pending::default();
        let mut made = Vec::new();
        for element in elements {
            let kept = match &fold.test {
                Some(test) => self.test(test, element.clone()),
                None => Ok(true),
            };
            let value = match (kept, &fold.value) {
                (Ok(false), _) => continue,
                (Ok(true), Some(value)) => self.with(element, |this| this.value(value)),
                (Ok(true), None) => Ok(element),
                (Err(stop), _) => Err(stop),
            };
            match value {
                Ok(value) => made.push(value),
                Err(stop) => pending.note(stop)?,
            }
        }
        pending.strict()?;
        Ok(Val::list(made))
    }

    fn test(&mut self, test: &Node, element: Val) -> Result<bool, Stop> {
        self.with(element, |this| this.bool(test))
    }

    fn with<T>(&mut self, element: Val, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push(element);
        let value = inside(self);
        self.locals.pop();
        value
    }
}
