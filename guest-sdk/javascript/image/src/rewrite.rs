//! Replaces the memory of a component, and drops the interface for the initialization.
//!
//! The rest of an instance's state is the same as at its beginning: the stack pointer is back where
//! it was once the initialization has returned, there are no other variables, and no code changes a
//! table.

use std::ops::Range;

use wasm_encoder::{
    Component, ConstExpr, DataCountSection, DataSection, Encode, MemorySection, MemoryType, Module,
    RawSection,
};
use wasmparser::{
    ComponentExportSectionReader, DataKind, DataSectionReader, GlobalSectionReader, MemorySectionReader,
    Parser, Payload, Validator, WasmFeatures,
};
use wasmtime::error::Context;
use wasmtime::{Result, bail, ensure};

use crate::instance::INTERFACE;

/// Bytes of a WebAssembly page.
const PAGE: usize = 65536;

/// So many zeros end a segment of data: the header of another one takes less space.
const GAP: usize = 32;

/// The component, with this memory when it begins.
pub fn with_memory(component: &[u8], memory: &[u8]) -> Result<Vec<u8>> {
    let mut image = Component::new();
    let mut replaced = 0;
    // Sections inside of nested modules and components are skipped.
    let mut nested_end = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section().filter(|(_, range)| range.start >= nested_end) else {
            continue;
        };
        let data = &component[range.clone()];
        match payload {
            Payload::ModuleSection { .. } => {
                nested_end = range.end;
                let module = with_data(data, memory)?;
                replaced += usize::from(module.is_some());
                image.section(&RawSection { id, data: module.as_deref().unwrap_or(data) });
            }
            Payload::ComponentSection { .. } => {
                nested_end = range.end;
                image.section(&RawSection { id, data });
            }
            Payload::ComponentExportSection(exports) => {
                if let Some(data) = without_interface(component, exports)? {
                    image.section(&RawSection { id, data: &data });
                }
            }
            _ => drop(image.section(&RawSection { id, data })),
        }
    }
    ensure!(replaced == 1, "there are {replaced} modules with a memory instead of one");
    let image = image.finish();
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(&image)
        .context("the image is not valid")?;
    Ok(image)
}

/// The section without the export of the initialization, which has to be the last one: others are
/// counted from it. Nothing if that is all of the section.
fn without_interface(component: &[u8], exports: ComponentExportSectionReader<'_>) -> Result<Option<Vec<u8>>> {
    let (range, count) = (exports.range(), exports.count());
    let mut first = range.end;
    for (number, export) in (0..).zip(exports.into_iter_with_offsets()) {
        let (offset, export) = export?;
        first = first.min(offset);
        if export.name.name == INTERFACE {
            ensure!(number + 1 == count, "{} is not the last export", INTERFACE);
            let mut section = Vec::new();
            number.encode(&mut section);
            section.extend(&component[first..offset]);
            return Ok((number > 0).then_some(section));
        }
    }
    Ok(Some(component[range].to_vec()))
}

/// A module of the component with these data in its memory. Nothing if it has no memory.
fn with_data(bytes: &[u8], memory: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut module = Module::new();
    let mut has_memory = false;
    let segments = segments(memory);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        match payload {
            Payload::MemorySection(memories) => {
                module.section(&enlarged(memories, memory.len())?);
                has_memory = true;
            }
            Payload::GlobalSection(globals) => {
                check(globals)?;
                module.section(&RawSection { id, data: &bytes[range] });
            }
            Payload::DataCountSection { .. } => {
                module.section(&DataCountSection { count: u32::try_from(segments.len())? });
            }
            Payload::DataSection(old) => {
                check_data(old)?;
                let mut data = DataSection::new();
                for range in &segments {
                    let offset = ConstExpr::i32_const(i32::try_from(range.start)?);
                    data.active(0, &offset, memory[range.clone()].iter().copied());
                }
                module.section(&data);
            }
            _ => drop(module.section(&RawSection { id, data: &bytes[range] })),
        }
    }
    Ok(has_memory.then(|| module.finish()))
}

/// The section of the memory, which begins with this size.
fn enlarged(memories: MemorySectionReader<'_>, size: usize) -> Result<MemorySection> {
    let mut section = MemorySection::new();
    for memory in memories {
        let memory = memory?;
        section.memory(MemoryType {
            minimum: size.div_ceil(PAGE) as u64,
            maximum: memory.maximum,
            memory64: memory.memory64,
            shared: memory.shared,
            page_size_log2: memory.page_size_log2,
        });
    }
    ensure!(section.len() == 1, "a module has {} memories", section.len());
    Ok(section)
}

/// The only variable may be the stack pointer.
fn check(globals: GlobalSectionReader<'_>) -> Result<()> {
    let mut mutable = 0;
    for global in globals {
        mutable += usize::from(global?.ty.mutable);
    }
    ensure!(mutable <= 1, "a module has {mutable} variables instead of a stack pointer");
    Ok(())
}

/// Code must not refer to segments of data.
fn check_data(segments: DataSectionReader<'_>) -> Result<()> {
    for segment in segments {
        if let DataKind::Passive = segment?.kind {
            bail!("a module has passive segments of data");
        }
    }
    Ok(())
}

/// The parts of a memory that are not zero.
fn segments(memory: &[u8]) -> Vec<Range<usize>> {
    let mut segments: Vec<Range<usize>> = Vec::new();
    for (at, _) in memory.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        match segments.last_mut() {
            Some(last) if at < last.end + GAP => last.end = at + 1,
            _ => segments.push(at..at + 1),
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_leave_out_zeros() {
        let mut memory = vec![0; 3 * GAP];
        assert_eq!(segments(&memory), []);
        memory[1] = 1;
        memory[GAP] = 2;
        memory[2 * GAP + 5] = 3;
        assert_eq!(segments(&memory), [1..GAP + 1, 2 * GAP + 5..2 * GAP + 6]);
    }
}
