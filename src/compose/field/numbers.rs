//! Numbers, booleans and quantities as fields.

use super::{Field, Reader, View, single};
use crate::base::Code;
use crate::compose::interpolate;
use crate::compose::node::{Node, Value};
use crate::compose::number;
use crate::compose::out::Out;
use crate::compose::units::{Bytes, Cpus, Duration, FileMode};

impl Field for bool {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match &node.value {
            Value::Bool(value, _) => *value,
            Value::Str(text) => {
                if let Some(value) = interpolate::boolean(text) {
                    return value;
                }
                reader.wrong(Code::WRONG_TYPE, node, "a boolean (true or false)");
                false
            }
            _ => {
                reader.wrong(Code::WRONG_TYPE, node, "a boolean (true or false)");
                false
            }
        }
    }

    fn unset(&self, _: View) -> bool {
        !*self
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Bool(*self)
    }
}

impl Field for i64 {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let value = match &node.value {
            Value::Int(value, _) => Some(*value),
            Value::Uint(value, _) => Some(value.cast_signed()),
            Value::Float(value, _) if value.is_finite() => Some(number::truncated(*value)),
            Value::Str(text) => number::decimal(text),
            _ => None,
        };
        value.unwrap_or_else(|| {
            reader.wrong(Code::WRONG_TYPE, node, "a whole number");
            0
        })
    }

    fn unset(&self, _: View) -> bool {
        *self == 0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Int(*self)
    }
}

impl Field for u64 {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match node.value {
            Value::Uint(value, _) => return value,
            Value::Float(value, _) if value >= 0.0 => return number::truncated_unsigned(value),
            Value::Str(_) => {
                reader.wrong(Code::WRONG_TYPE, node, "a number, which stands without quotes and without a variable here");
                return 0;
            }
            _ => {}
        }
        u64::try_from(i64::read(node, reader)).unwrap_or_else(|_| {
            reader.wrong(Code::WRONG_VALUE, node, "a whole number of 0 or more");
            0
        })
    }

    fn unset(&self, _: View) -> bool {
        *self == 0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Uint(*self)
    }
}

impl Field for f32 {
    #[allow(clippy::cast_possible_truncation)]
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let value = node.as_f64().or_else(|| node.as_str().and_then(number::float)).filter(|value| value.is_finite());
        value.map_or_else(
            || {
                reader.wrong(Code::WRONG_TYPE, node, "a number");
                0.0
            },
            |value| value as f32,
        )
    }

    fn unset(&self, _: View) -> bool {
        *self == 0.0
    }

    fn write(&self, _: View) -> Out<'_> {
        single(*self)
    }
}

impl Field for Cpus {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self::new(f32::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.get() == 0.0
    }

    fn write(&self, _: View) -> Out<'_> {
        single(self.get())
    }
}

impl Field for Bytes {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let bytes = match &node.value {
            Value::Int(value, _) => Some(Self::new(*value)),
            Value::Str(text) => Self::parse(text),
            // The reference takes a fraction of a byte, and more bytes than it can count, for nothing at all.
            Value::Float(..) | Value::Uint(..) => Some(Self::default()),
            _ => None,
        };
        bytes.unwrap_or_else(|| {
            let message = format!("invalid size {}", node.found());
            reader.report.error(Code::BAD_QUANTITY, node.span, &reader.path, message).help =
                Some("write a number of bytes, or one with a unit (b, k, m, g, t, p), as 512m or 1.5g".to_owned());
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        self.get() == 0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Text(self.to_string().into())
    }
}

impl Field for Duration {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        node.rendered().and_then(|text| Self::parse(&text)).unwrap_or_else(|| {
            let message = format!("invalid duration {}", node.found());
            reader.report.error(Code::BAD_QUANTITY, node.span, &reader.path, message).help =
                Some("write numbers with units (ns, us, ms, s, m, h, d, w), as 90s or 1m30s".to_owned());
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        self.nanoseconds() == 0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Text(self.to_string().into())
    }
}

impl Field for FileMode {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let mode = match &node.value {
            Value::Int(value, _) => Some(Self::new(*value)),
            Value::Str(text) => Self::parse(text),
            _ => None,
        };
        mode.unwrap_or_else(|| {
            reader.wrong(Code::WRONG_VALUE, node, "a file mode in octal, as 0440");
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Text(self.to_string().into())
    }
}
