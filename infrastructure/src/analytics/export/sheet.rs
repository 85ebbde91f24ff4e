//! The file being written, in either format.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{
    Format, at,
    parquet::ParquetSheet,
    value::{Column, Value},
};
use crate::analytics::AnalyticsError;

/// A file of rows.
pub(super) struct Sheet {
    path: PathBuf,
    rows: Rows,
}

enum Rows {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Parquet(Box<ParquetSheet>),
}

impl Sheet {
    pub(super) fn create(format: Format, view: &str, columns: &[Column], path: &Path) -> Result<Self, AnalyticsError> {
        let file = File::create(path).map_err(|source| at(path, source))?;
        let rows = match format {
            Format::Csv => {
                let mut writer =
                    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(BufWriter::new(file));
                writer.write_record(columns.iter().map(|column| &column.name)).map_err(refused)?;
                Rows::Csv(Box::new(writer))
            }
            Format::Parquet => Rows::Parquet(Box::new(ParquetSheet::create(view, columns, file).map_err(refused)?)),
        };
        Ok(Self { path: path.to_owned(), rows })
    }

    pub(super) fn row(&mut self, values: &[Option<Value>]) -> Result<(), AnalyticsError> {
        match &mut self.rows {
            Rows::Csv(writer) => {
                let field = |value: &Option<Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
                writer.write_record(values.iter().map(field)).map_err(refused)
            }
            Rows::Parquet(sheet) => sheet.row(values).map_err(refused),
        }
    }

    /// Writes what is left, and has the machine keep it.
    pub(super) fn finish(self) -> Result<(), AnalyticsError> {
        let path = self.path;
        let file = match self.rows {
            Rows::Csv(writer) => {
                let mut buffer = writer.into_inner().map_err(|error| at(&path, error.into_error()))?;
                buffer.flush().map_err(|source| at(&path, source))?;
                buffer.into_inner().map_err(|error| at(&path, error.into_error()))?
            }
            Rows::Parquet(sheet) => sheet.finish().map_err(refused)?,
        };
        file.sync_all().map_err(|source| at(&path, source))
    }
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> AnalyticsError {
    AnalyticsError::Format(error.into())
}
