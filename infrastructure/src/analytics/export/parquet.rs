//! Rows as Parquet: kept column by column until there are enough for a group, then written.

use std::{fs::File, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type,
    },
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};

use super::value::{Column, Kind, Value};

/// A group is written when it has so many rows,
const ROWS: usize = 50_000;
/// or holds so many bytes of text.
const BYTES: usize = 16 << 20;
/// The day from which Parquet counts days, as chrono counts them.
const EPOCH: i32 = 719_163;

/// A Parquet file being written.
pub(super) struct ParquetSheet {
    writer: SerializedFileWriter<File>,
    columns: Vec<Cells>,
    rows: usize,
    bytes: usize,
}

/// The values of one column, with which rows have one.
struct Cells {
    present: Vec<i16>,
    values: Values,
}

enum Values {
    Fixed(Vec<FixedLenByteArray>),
    Bytes(Vec<ByteArray>),
    Long(Vec<i64>),
    Short(Vec<i32>),
    Boolean(Vec<bool>),
}

impl ParquetSheet {
    pub(super) fn create(view: &str, columns: &[Column], file: File) -> Result<Self, ParquetError> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder(view).with_fields(fields).build()?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("chatledger".to_owned())
            .build();
        let writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
        let columns = columns.iter().map(|column| Cells::of(column.kind)).collect();
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    pub(super) fn row(&mut self, values: &[Option<Value>]) -> Result<(), ParquetError> {
        for (cells, value) in self.columns.iter_mut().zip(values) {
            self.bytes += cells.push(value.as_ref())?;
        }
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES { self.write() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<File, ParquetError> {
        if self.rows > 0 {
            self.write()?;
        }
        self.writer.into_inner()
    }

    fn write(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for cells in &mut self.columns {
            cells.write(&mut group)?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
    let (physical, logical, length) = match column.kind {
        Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), 16),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String), -1),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json), -1),
        Kind::Integer => (Physical::INT64, None, -1),
        Kind::Boolean => (Physical::BOOLEAN, None, -1),
        Kind::Time => (Physical::INT64, Some(micros), -1),
        Kind::Date => (Physical::INT32, Some(LogicalType::Date), -1),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .with_length(length)
        .build()
}

impl Cells {
    fn of(kind: Kind) -> Self {
        let values = match kind {
            Kind::Uuid => Values::Fixed(Vec::new()),
            Kind::Text | Kind::Json => Values::Bytes(Vec::new()),
            Kind::Integer | Kind::Time => Values::Long(Vec::new()),
            Kind::Date => Values::Short(Vec::new()),
            Kind::Boolean => Values::Boolean(Vec::new()),
        };
        Self { present: Vec::new(), values }
    }

    /// How many bytes of text came.
    fn push(&mut self, value: Option<&Value>) -> Result<usize, ParquetError> {
        self.present.push(i16::from(value.is_some()));
        let Some(value) = value else { return Ok(0) };
        match (&mut self.values, value) {
            (Values::Fixed(all), Value::Uuid(id)) => all.push(ByteArray::from(id.as_bytes().to_vec()).into()),
            (Values::Bytes(all), Value::Text(text)) => {
                all.push(text.as_bytes().to_vec().into());
                return Ok(text.len());
            }
            (Values::Long(all), Value::Integer(number)) => all.push(*number),
            (Values::Long(all), Value::Time(time)) => all.push(time.timestamp_micros()),
            (Values::Short(all), Value::Date(day)) => all.push(chrono::Datelike::num_days_from_ce(day) - EPOCH),
            (Values::Boolean(all), Value::Boolean(is)) => all.push(*is),
            _ => return Err(ParquetError::General("a value is not of its column's type".to_owned())),
        }
        Ok(0)
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<(), ParquetError> {
        let Some(column) = group.next_column()? else {
            return Err(ParquetError::General("the file has fewer columns than the view".to_owned()));
        };
        let present = std::mem::take(&mut self.present);
        match &mut self.values {
            Values::Fixed(all) => put::<FixedLenByteArrayType>(column, all, &present),
            Values::Bytes(all) => put::<ByteArrayType>(column, all, &present),
            Values::Long(all) => put::<Int64Type>(column, all, &present),
            Values::Short(all) => put::<Int32Type>(column, all, &present),
            Values::Boolean(all) => put::<BoolType>(column, all, &present),
        }
    }
}

fn put<T: DataType>(
    mut column: SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    present: &[i16],
) -> Result<(), ParquetError> {
    column.typed::<T>().write_batch(values, Some(present), None)?;
    values.clear();
    column.close()
}
