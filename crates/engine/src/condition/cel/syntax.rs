//! A compiled expression.

use std::sync::Arc;

use super::pattern::Pattern;
use super::value::Val;

/// How deep an expression may be.
pub(super) const MAX_DEPTH: u16 = 64;

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    /// The offset in the text, for messages.
    pub(super) at: usize,
    /// How many nodes stand in each other here.
    pub(super) depth: u16,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Literal(Val),
    /// A parameter, by its place among the declared ones.
    Parameter(usize),
    /// The variable of a macro, by how many are open around it.
    Local(usize),
    Select(Box<Node>, Arc<str>),
    Has(Box<Node>, Arc<str>),
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && ...`
    All(Vec<Node>),
    /// `a || b || ...`
    Any(Vec<Node>),
    /// `condition ? yes : no`
    Choose(Box<Node>, Box<Node>, Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Call(Function, Vec<Node>),
    /// `text.matches("constant")`
    Matches(Box<Node>, Pattern),
    Fold(Box<Fold>),
}

/// `range.macro(variable, body)`.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) macro_: Macro,
    pub(super) range: Node,
    /// The predicate; of a `map` with two arguments none.
    pub(super) test: Option<Node>,
    /// What a `map` makes of an element.
    pub(super) value: Option<Node>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

macro_rules! functions {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A function; the receiver of a method is its first argument.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Function {
            $($variant,)*
        }

        impl Function {
            pub(super) const EACH: &[Self] = &[$(Self::$variant,)*];

            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

functions! {
    Size "size",
    Contains "contains",
    StartsWith "startsWith",
    EndsWith "endsWith",
    Matches "matches",
    InCidr "in_cidr",
    Bool "bool",
    Int "int",
    Uint "uint",
    Double "double",
    Text "string",
    Duration "duration",
    Timestamp "timestamp",
    Address "ipaddr",
    Dyn "dyn",
    FullYear "getFullYear",
    Month "getMonth",
    DayOfYear "getDayOfYear",
    DayOfMonth "getDayOfMonth",
    Date "getDate",
    DayOfWeek "getDayOfWeek",
    Hours "getHours",
    Minutes "getMinutes",
    Seconds "getSeconds",
    Milliseconds "getMilliseconds",
}

impl Function {
    /// Whether it can be written like this: as a method or not, with so many arguments besides the receiver.
    pub(super) fn takes(self, method: bool, arguments: usize) -> bool {
        match self {
            Self::Size => method && arguments == 0 || !method && arguments == 1,
            Self::Matches => method && arguments == 1 || !method && arguments == 2,
            Self::Contains | Self::StartsWith | Self::EndsWith | Self::InCidr => method && arguments == 1,
            Self::Bool | Self::Int | Self::Uint | Self::Double | Self::Text | Self::Dyn => {
                !method && arguments == 1
            }
            Self::Duration | Self::Timestamp | Self::Address => !method && arguments == 1,
            _ => method && arguments <= 1,
        }
    }
}

impl Kind {
    fn children_depth(&self) -> u16 {
        let most = |nodes: &[Node]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        match self {
            Self::Literal(_) | Self::Parameter(_) | Self::Local(_) => 0,
            Self::Select(a, _) | Self::Has(a, _) | Self::Not(a) | Self::Negate(a) | Self::Matches(a, _) => {
                a.depth
            }
            Self::Index(a, b) | Self::Binary(_, a, b) => a.depth.max(b.depth),
            Self::Choose(a, b, c) => a.depth.max(b.depth).max(c.depth),
            Self::All(nodes) | Self::Any(nodes) | Self::List(nodes) | Self::Call(_, nodes) => most(nodes),
            Self::Map(entries) => entries.iter().map(|(k, v)| k.depth.max(v.depth)).max().unwrap_or(0),
            Self::Fold(fold) => [Some(&fold.range), fold.test.as_ref(), fold.value.as_ref()]
                .into_iter()
                .flatten()
                .map(|node| node.depth)
                .max()
                .unwrap_or(0),
        }
    }
}

impl Node {
    /// None if it would be deeper than [`MAX_DEPTH`].
    pub(super) fn new(at: usize, kind: Kind) -> Option<Self> {
        let depth = kind.children_depth() + 1;
        (depth <= MAX_DEPTH).then_some(Self { at, depth, kind })
    }
}
